/** Which requests are wanted: the same question asked of the database and of a record that has just come. */
import { REQUEST_STATUSES, type RequestRecord, type RequestStatus } from '@millrace/shared'
import { Field, Float, ID, InputType } from 'type-graphql'
import * as z from 'zod'

import { idText, readInput, searchText } from '../graphql/input.ts'
import { DateTime, Decimal } from '../graphql/scalars.ts'
import { likePattern } from '../graphql/search.ts'
import { Conditions, type SqlCondition } from './conditions.ts'
import { compareDecimals } from './decimal.ts'
import { RequestStatusEnum } from './request.type.ts'

@InputType({ description: 'All that are given must hold.' })
export class RequestFilter {
  @Field(() => ID, { nullable: true })
  project?: string | null

  @Field(() => ID, { nullable: true })
  token?: string | null

  @Field(() => String, { nullable: true })
  model?: string | null

  @Field(() => ID, { nullable: true })
  provider?: string | null

  @Field(() => [RequestStatusEnum], { nullable: true })
  status?: RequestStatus[] | null

  @Field(() => String, { nullable: true })
  errorClass?: string | null

  @Field(() => Boolean, { nullable: true })
  stream?: boolean | null

  @Field(() => Float, { nullable: true })
  minLatencyMs?: number | null

  @Field(() => Decimal, { nullable: true, description: 'Costs so many USD or more, as far as is known.' })
  minCostUsd?: string | null

  @Field(() => DateTime, { nullable: true, description: 'Started at this moment or later.' })
  from?: Date | null

  @Field(() => DateTime, { nullable: true, description: 'Started before this moment.' })
  to?: Date | null

  @Field(() => String, { nullable: true })
  requestId?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'In the model, request id, error message or user key, in any case.',
  })
  search?: string | null
}

const id = idText.nullish()
const text = searchText.nullish()

const schema = z.object({
  project: id,
  token: id,
  model: text,
  provider: id,
  status: z.array(z.enum(REQUEST_STATUSES)).nullish(),
  errorClass: text,
  stream: z.boolean().nullish(),
  minLatencyMs: z.number().nullish(),
  minCostUsd: z.string().nullish(),
  from: z.date().nullish(),
  to: z.date().nullish(),
  requestId: text,
  search: text,
})

/** A filter that was read. */
export type RequestConditions = z.output<typeof schema>

/** @throws GraphQLError BAD_USER_INPUT */
export function readFilter(filter: RequestFilter | null): RequestConditions {
  return readInput(schema, filter ?? {}, 'filter')
}

/** What the database is asked, over table `request_record`. */
export function sqlConditions(filter: RequestConditions): SqlCondition[] {
  const { all } = new Conditions()
    .given(filter.project, 'project_id = ?')
    .given(filter.token, 'token_id = ?')
    // The index holds the beginning only.
    .given(filter.model, '(left(model, 200) = left(?, 200) and model = ?)', filter.model, filter.model)
    .given(filter.provider, 'provider_id = ?')
    .given(filter.errorClass, "(status <> 'SUCCESS' and error_class = ?)")
    .given(filter.stream, 'stream = ?')
    .given(filter.minLatencyMs, 'latency_ms >= ?')
    .given(filter.minCostUsd, 'cost_usd >= ?::numeric')
    .given(filter.from, 'started_at >= ?')
    .given(filter.to, 'started_at < ?')
    .given(
      filter.requestId,
      '(left(request_id, 200) = left(?, 200) and request_id = ?)',
      filter.requestId,
      filter.requestId,
    )
  if (filter.status != null) {
    const marks = filter.status.map(() => '?').join(', ')
    all.push(marks ? { sql: `status in (${marks})`, values: filter.status } : { sql: 'false', values: [] })
  }
  if (filter.search) {
    const columns = ['model', 'request_id', 'error_message', 'user_key']
    all.push({
      sql: `(${columns.map((column) => `${column} ilike ?`).join(' or ')})`,
      values: columns.map(() => likePattern(filter.search!)),
    })
  }
  return all
}

/** The same question of one record. */
export function matches(filter: RequestConditions, record: RequestRecord): boolean {
  const { project, token, model, provider, status, errorClass, stream, minLatencyMs, minCostUsd } = filter
  const { from, to, requestId, search } = filter
  const startedAt = Date.parse(record.startedAt)
  return (
    (project == null || project === record.projectId) &&
    (token == null || token === record.tokenId) &&
    (model == null || model === record.model) &&
    (provider == null || provider === record.providerId) &&
    (status == null || status.includes(record.status)) &&
    (errorClass == null || errorClass === record.errorClass) &&
    (stream == null || stream === record.stream) &&
    (minLatencyMs == null || record.latencyMs >= minLatencyMs) &&
    (minCostUsd == null || (record.costUsd !== null && compareDecimals(record.costUsd, minCostUsd) >= 0)) &&
    (from == null || startedAt >= from.getTime()) &&
    (to == null || startedAt < to.getTime()) &&
    (requestId == null || requestId === record.requestId) &&
    (!search || contains(record, search.toLowerCase()))
  )
}

function contains({ model, requestId, errorMessage, userKey }: RequestRecord, search: string): boolean {
  return [model, requestId, errorMessage, userKey].some((field) => field?.toLowerCase().includes(search))
}
