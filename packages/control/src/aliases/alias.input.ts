/** What an alias and its routes may be made of. */
import * as z from 'zod'

import { flag, lineOfText, nameText, wholeNumber } from '../graphql/input.ts'

const MOST_ROUTES = 100
const MOST = 1_000_000

const aliasName = nameText
  .refine((name) => !/\s/.test(name), 'must not contain spaces')
  .refine((name) => !name.includes('*'), 'must not contain *')
const strategy = z.enum(['WEIGHTED'])
const providerModel = lineOfText(200)
const priority = wholeNumber(0, MOST)
const weight = wholeNumber(0, MOST)

export const routeInput = z.object({
  provider: z.string(),
  name: nameText.nullish(),
  providerModel: providerModel.nullish(),
  priority: priority.nullish(),
  weight: weight.nullish(),
  enabled: flag.nullish(),
})

export const updateRouteInput = z.object({
  name: nameText.nullish(),
  providerModel: providerModel.nullish(),
  priority: priority.optional(),
  weight: weight.optional(),
  enabled: flag.optional(),
})

export const createAliasInput = z.object({
  name: aliasName,
  project: z.string().nullish(),
  enabled: flag.nullish(),
  strategy: strategy.nullish(),
  routes: z.array(routeInput).max(MOST_ROUTES, `must be at most ${MOST_ROUTES}`),
})

export const updateAliasInput = z.object({
  name: aliasName.optional(),
  enabled: flag.optional(),
  strategy: strategy.optional(),
})
