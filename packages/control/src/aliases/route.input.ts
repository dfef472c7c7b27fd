/** What a route may be made of. */
import { compileCondition, ConditionError, flag, wholeNumber } from '@millrace/shared'
import * as z from 'zod'

import { lineOfText, nameText, smallObject } from '../graphql/input.ts'
import { isPattern, ONE_STAR } from './wildcard.ts'

const MOST = 1_000_000
const MOST_USD = 1_000_000
const MOST_DECIMALS = 12

const providerModel = lineOfText(200).refine(isPattern, ONE_STAR)
const priority = wholeNumber(0, MOST)
const weight = wholeNumber(0, MOST)
const condition = smallObject.superRefine((value, context) => {
  try {
    compileCondition(value)
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error
    context.addIssue({ code: 'custom', path: [...error.path], message: error.reason })
  }
})
const price = z
  .string()
  .refine(
    (usd) => new RegExp(`^\\d+(\\.\\d{1,${MOST_DECIMALS}})?$`).test(usd) && Number(usd) <= MOST_USD,
    `must be from 0 to ${MOST_USD}, with at most ${MOST_DECIMALS} decimals`,
  )
const optional = {
  name: nameText.nullish(),
  providerModel: providerModel.nullish(),
  condition: condition.nullish(),
  inputPrice: price.nullish(),
  outputPrice: price.nullish(),
  cachedInputPrice: price.nullish(),
}

/** What holds unless it is set, and again once null was given for it. */
export const ROUTE_DEFAULTS = { priority: 0, weight: 1, enabled: true } as const

export const routeInput = z.object({
  provider: z.string(),
  priority: priority.nullish(),
  weight: weight.nullish(),
  enabled: flag.nullish(),
  ...optional,
})

export const updateRouteInput = z.object({
  priority: priority.nullish(),
  weight: weight.nullish(),
  enabled: flag.nullish(),
  ...optional,
})
