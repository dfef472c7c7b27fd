/** What a client wants to know of usage, read: what may be asked, and what it takes to answer. */
import { oneOf } from '@millrace/shared'
import * as z from 'zod'

import type { Scope } from '../access/scope.ts'
import { DAY_MS, type Range } from '../db/time.ts'
import { badInput } from '../graphql/errors.ts'
import { readInput } from '../graphql/input.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import { readFilter, sqlConditions, type RequestConditions } from '../requests/request.filter.ts'
import { DIMENSION_COLUMNS, DIMENSIONS, grainFor, type Dimension, type Grain, type KeyColumn } from './dimensions.ts'
import { INTERVALS, type Interval } from './interval.ts'
import type { UsageQuery } from './usage.type.ts'

/** Of interval MINUTE. */
const LONGEST_BY_MINUTE_MS = DAY_MS

export interface Question {
  /** Empty where the filter leaves nothing of it. */
  readonly range: Range
  readonly interval: Interval
  readonly groupBy: readonly Dimension[]
  readonly grain: Grain
  readonly conditions: readonly SqlCondition[]
  /** Whether only single requests can tell. */
  readonly needsRecords: boolean
  /** What single requests are found by: an index on their time, and their token; null: by what only a few have in common. */
  readonly found: { readonly grain: Grain; readonly conditions: readonly SqlCondition[] } | null
}

const schema = z.object({
  from: z.date(),
  to: z.date(),
  interval: oneOf(INTERVALS).nullish(),
  groupBy: z.array(oneOf(DIMENSIONS)).nullish(),
})

/** Of a filter, what sums tell apart, and the columns that it takes. */
const FILTERED: Readonly<Record<string, readonly KeyColumn[]>> = {
  project: ['project_id'],
  token: ['token_id'],
  model: ['model'],
  provider: ['provider_id'],
  status: ['status'],
  errorClass: ['status', 'error_class'],
  stream: ['stream'],
  cache: ['cache'],
}

/** @throws GraphQLError BAD_USER_INPUT */
export function readQuestion(query: UsageQuery, scope: Scope): Question {
  const { from, to, interval, groupBy } = readInput(schema, query, 'query')
  const filter = readFilter(query.filter ?? null, 'query.filter')
  if (from >= to) throw badInput('query.to', 'must be later than from')
  const range = {
    from: Math.max(from.getTime(), filter.from?.getTime() ?? -Infinity),
    to: Math.min(to.getTime(), filter.to?.getTime() ?? Infinity),
  }
  if (interval === 'MINUTE' && range.to - range.from > LONGEST_BY_MINUTE_MS)
    throw badInput('query.to', 'must be a day after from at most, by the minute')
  const dimensions = [...new Set(groupBy)]
  const bounds = scope.ownRows('project_id')
  const bounded: KeyColumn[] = scope.projects === null ? [] : ['project_id']
  const needsRecords =
    filter.minLatencyMs != null || filter.minCostUsd != null || filter.requestId != null || Boolean(filter.search)
  const indexed = { token: filter.token }
  return {
    range,
    interval: interval ?? 'DAY',
    groupBy: dimensions,
    grain: grainFor([...dimensions.map((dimension) => DIMENSION_COLUMNS[dimension]), ...columnsOf(filter), ...bounded]),
    conditions: [...sqlConditions({ ...filter, from: null, to: null }), ...bounds],
    needsRecords,
    found:
      filter.requestId == null ? { grain: grainFor(columnsOf(indexed)), conditions: sqlConditions(indexed) } : null,
  }
}

function columnsOf(filter: RequestConditions): KeyColumn[] {
  return Object.entries(filter).flatMap(([name, value]) => (value == null ? [] : (FILTERED[name] ?? [])))
}
