/** Captured exchanges into the database and out of it. Those whose time is over are not there, deleted or not. */
import type { DebugExchange } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import type { DebugExchangeSummaryType, DebugExchangeType } from './exchange.type.ts'

/** Rows that one statement deletes. */
const MOST_DELETED = 500

/**
 * Stores those that are not stored yet, as long as something is captured or was lately, and there is room. In the order of
 * their ids, so that two that store the same do not wait for each other.
 */
const STORE = `
  with given as materialized (
    select * from jsonb_to_recordset(?::jsonb) as exchange (
      id uuid, "requestId" text, at timestamptz, "projectId" uuid, "tokenId" uuid, method text, target text, model text,
      "requestHeaders" jsonb, "requestBody" text, "responseStatus" integer, "responseHeaders" jsonb, "responseBody" text,
      truncated boolean, "retentionHours" integer
    )
  ),
  before as materialized (select id from debug_exchange where (id, at) in (select id, at from given)),
  inserted as (
    insert into debug_exchange (
      id, request_id, at, project_id, token_id, method, target, model, request_headers, request_body,
      response_status, response_headers, response_body, truncated, expires_at
    )
    select
      id, "requestId", at, "projectId", "tokenId", method, target, model, "requestHeaders", "requestBody",
      "responseStatus", "responseHeaders", "responseBody", truncated,
      clock_timestamp() + least(make_interval(hours => "retentionHours"), make_interval(days => ?))
    from given, debug_capture
    where accepts_until > clock_timestamp() and room > 0
    order by id
    on conflict do nothing
    returning id, length(request_headers::text) + length(response_headers::text) + length(target)
      + coalesce(octet_length(request_body), 0) + coalesce(octet_length(response_body), 0) as bytes
  ),
  counted as (
    update debug_capture set room = room - (select sum(bytes) from inserted) where exists (select from inserted)
    returning room
  )
  select ((select count(*) from inserted) + (select count(*) from before))::integer as taken,
    (select room <= 0 from counted) as full`

/** What became of some that were to be stored. */
export interface Stored {
  /** How many are there now. */
  readonly taken: number
  /** Whether there is no more room by them. */
  readonly full: boolean | null
}

/** @param mostDays for which they may be kept @throws the database's error, which may tell what they say */
export async function storeExchanges(em: Em, exchanges: readonly DebugExchange[], mostDays: number): Promise<Stored> {
  const [row] = await em.execute<Stored[]>(STORE, [JSON.stringify(exchanges), mostDays])
  return row!
}

const SUMMARY = `id, request_id as "requestId", at, project_id as "projectId", token_id as "tokenId", method, target, model,
  response_status as "responseStatus", truncated, expires_at as "expiresAt"`
const SAID = `request_headers as "requestHeaders", request_body as "requestBody", response_headers as "responseHeaders",
  response_body as "responseBody"`

/** That their time is not over. With how many days they may be kept. By `now()`, which an index can be asked for. */
const KEPT = 'expires_at > now() and stored_at > now() - make_interval(days => ?)'

export async function selectExchange(
  em: Em,
  id: string,
  own: readonly SqlCondition[],
  mostDays: number,
): Promise<DebugExchangeType | null> {
  const [row] = await select<DebugExchangeType>(em, `${SUMMARY}, ${SAID}`, 1, mostDays, [
    { sql: 'id = ?', values: [id] },
    ...own,
  ])
  return row ?? null
}

/** Newest first. @param conditions that all must hold */
export function selectSummaries(
  em: Em,
  conditions: readonly SqlCondition[],
  limit: number,
  mostDays: number,
): Promise<DebugExchangeSummaryType[]> {
  return select<DebugExchangeSummaryType>(em, SUMMARY, limit, mostDays, conditions)
}

async function select<Row extends DebugExchangeSummaryType>(
  em: Em,
  columns: string,
  limit: number,
  mostDays: number,
  conditions: readonly SqlCondition[],
): Promise<Row[]> {
  const where = [KEPT, ...conditions.map(({ sql }) => sql)].join(' and ')
  // By id, which sorts by the time it was made.
  const rows = await em.execute<Row[]>(
    `select ${columns} from debug_exchange where ${where} order by debug_exchange.id desc limit ?`,
    [mostDays, ...conditions.flatMap(({ values }) => values), limit],
  )
  return rows.map((row) => Object.assign(row, { at: new Date(row.at), expiresAt: new Date(row.expiresAt) }))
}

/** Deletes some of those whose time is over. @returns whether there may be more */
export async function deleteExpired(em: Em, mostDays: number): Promise<boolean> {
  const [row] = await em.execute<{ gone: number }[]>(
    `with gone as (
       delete from debug_exchange where (id, at) in (
         select id, at from debug_exchange where not (${KEPT}) limit ${MOST_DELETED}
       )
       returning 1
     )
     select count(*)::integer as gone from gone`,
    [mostDays],
  )
  return row!.gone === MOST_DELETED
}
