/** Which requests are wanted: the same question asked of the database and of a record that has just come. */
import {
  CACHE_OUTCOMES,
  flag,
  oneOf,
  REQUEST_STATUSES,
  type CacheOutcome,
  type RequestRecord,
  type RequestStatus,
} from '@millrace/shared'
import { Field, Float, ID, InputType } from 'type-graphql'
import * as z from 'zod'

import { idText, readInput, searchText } from '../graphql/input.ts'
import { Decimal } from '../graphql/scalars.ts'
import { likePattern } from '../graphql/search.ts'
import type { SqlCondition } from './conditions.ts'
import { compareDecimals } from './decimal.ts'
import { matchesRecord, recordConditions, RecordFilter, recordFilter } from './record.filter.ts'
import { CacheOutcomeEnum, RequestStatusEnum } from './request.type.ts'

@InputType({ description: 'All that are given must hold.' })
export class RequestFilter extends RecordFilter {
  @Field(() => String, { nullable: true })
  model?: string | null

  @Field(() => ID, { nullable: true })
  provider?: string | null

  @Field(() => [RequestStatusEnum], { nullable: true })
  status?: RequestStatus[] | null

  @Field(() => Boolean, { nullable: true })
  stream?: boolean | null

  @Field(() => [CacheOutcomeEnum], { nullable: true })
  cache?: CacheOutcome[] | null

  @Field(() => Float, { nullable: true })
  minLatencyMs?: number | null

  @Field(() => Decimal, { nullable: true, description: 'Costs so many USD or more, as far as is known.' })
  minCostUsd?: string | null

  @Field(() => String, {
    nullable: true,
    description:
      'In the model, request id, error message or user key, in any case; of each, in its first 300 characters.',
  })
  search?: string | null
}

const schema = recordFilter.extend({
  model: searchText.nullish(),
  provider: idText.nullish(),
  status: z.array(oneOf(REQUEST_STATUSES)).nullish(),
  stream: flag.nullish(),
  cache: z.array(oneOf(CACHE_OUTCOMES)).nullish(),
  minLatencyMs: z.number().nullish(),
  minCostUsd: z.string().nullish(),
  search: searchText.nullish(),
})

/** A filter that was read. */
export type RequestConditions = z.output<typeof schema>

/**
 * @param path what it is called in the operation
 * @throws GraphQLError BAD_USER_INPUT
 */
export function readFilter(filter: RequestFilter | null, path = 'filter'): RequestConditions {
  return readInput(schema, filter ?? {}, path)
}

/** What the database is asked, over table `request_record`. */
export function sqlConditions(filter: RequestConditions): SqlCondition[] {
  const { all } = recordConditions(filter)
    .given(filter.model, 'model = ?')
    .given(filter.provider, 'provider_id = ?')
    .givenAny(filter.status, 'status')
    .given(filter.stream, 'stream = ?')
    .givenAny(filter.cache, 'cache')
    .given(filter.minLatencyMs, 'latency_ms >= ?')
    .given(filter.minCostUsd, 'cost_usd >= ?::numeric')
  return filter.search ? [...all, searchCondition(filter.search)] : all
}

/** Characters of each text that a search looks into: of more, an index would be too dear. */
const SEARCHED = 300

/** The texts stand in one, a line each. */
export function searchCondition(search: string): SqlCondition {
  const one = {
    sql: 'searched_text(model, request_id, error_message, user_key) ilike ?',
    values: [likePattern(search)],
  }
  if (!search.includes('\n')) return one
  const texts = ['model', 'request_id', 'error_message', 'user_key'].map(
    (column) => `left(${column}, ${SEARCHED}) ilike ?`,
  )
  return { sql: `(${texts.join(' or ')})`, values: texts.map(() => likePattern(search)) }
}

/** The same question of one record. */
export function matches(filter: RequestConditions, record: RequestRecord): boolean {
  const { model, provider, status, stream, cache, minLatencyMs, minCostUsd, search } = filter
  return (
    matchesRecord(filter, record) &&
    (model == null || model === record.model) &&
    (provider == null || provider === record.providerId) &&
    (status == null || status.includes(record.status)) &&
    (stream == null || stream === record.stream) &&
    (cache == null || cache.includes(record.cache)) &&
    (minLatencyMs == null || record.latencyMs >= minLatencyMs) &&
    (minCostUsd == null || (record.costUsd !== null && compareDecimals(record.costUsd, minCostUsd) >= 0)) &&
    (!search || contains(record, search.toLowerCase()))
  )
}

function contains({ model, requestId, errorMessage, userKey }: RequestRecord, search: string): boolean {
  return [model, requestId, errorMessage, userKey].some((text) => text !== null && isIn(text, search))
}

/** @param search in lower case */
export function isIn(text: string, search: string): boolean {
  // As PostgreSQL counts characters.
  const searched = text.length > SEARCHED ? Array.from(text).slice(0, SEARCHED).join('') : text
  return searched.toLowerCase().includes(search)
}
