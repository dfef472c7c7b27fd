/** What an alias may be made of. */
import { flag, oneOf, ROUTING_STRATEGIES, UNKNOWN_PARAMETERS } from '@millrace/shared'
import * as z from 'zod'

import { nameText } from '../graphql/input.ts'
import { policyPatches } from './policies.input.ts'
import { routeInput } from './route.input.ts'
import { isPattern, ONE_STAR } from './wildcard.ts'

const MOST_ROUTES = 100

const aliasName = nameText.refine((name) => !/\s/.test(name), 'must not contain spaces').refine(isPattern, ONE_STAR)
const strategy = oneOf(ROUTING_STRATEGIES)
const unknownParameters = oneOf(UNKNOWN_PARAMETERS)

/** What holds unless it is set, and again once null was given for it. */
export const ALIAS_DEFAULTS = { enabled: true, strategy: 'WEIGHTED', unknownParameters: 'DROP' } as const

export const createAliasInput = z.object({
  name: aliasName,
  project: z.string().nullish(),
  enabled: flag.nullish(),
  strategy: strategy.nullish(),
  ...policyPatches,
  unknownParameters: unknownParameters.nullish(),
  routes: z.array(routeInput).max(MOST_ROUTES, `must be at most ${MOST_ROUTES}`),
})

export const updateAliasInput = z.object({
  name: aliasName.optional(),
  enabled: flag.nullish(),
  strategy: strategy.nullish(),
  ...policyPatches,
  unknownParameters: unknownParameters.nullish(),
})
