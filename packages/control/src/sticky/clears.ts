/**
 * What operators have had forgotten. A clear holds from the moment at which it is written: from then on nobody is told of a
 * binding that was made before. The bindings themselves are deleted later, some at a time, since there may be millions.
 */
import { newId } from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'
import { giveInstruction, INSTRUCTION_SECONDS } from '../instructions/give.ts'

/** What was on its way into the table when a clear was written is there by then, or has failed. */
const SETTLED_SECONDS = 30
/** Bindings that one statement reads, or deletes. */
const MOST_AT_ONCE = 10_000
const MOST_SWEPT = 1_000

/** Clears as instructions for proxies. */
export const CLEAR_INSTRUCTIONS = `
  select number, id, at, jsonb_build_object('aliasId', alias_id, 'key', key) as "clearStickyBindings",
    null::jsonb as "purgeCache"
  from sticky_clear`

/** One that was written. */
export interface Clear {
  readonly number: string
  readonly aliasId: string
  /** Null: all of the alias's. */
  readonly key: string | null
  /** As the database writes it. */
  readonly at: string
}

/**
 * What records tell of older bindings is not believed for as long as proxies are told to forget them, nor what is in the table
 * before it was swept.
 */
const HOLDS = `(clear.at > now() - interval '${INSTRUCTION_SECONDS} seconds' or not clear.swept)`

/**
 * SQL: that a binding has not been cleared.
 * @param binding what has its `alias_id`, `key` and `bound_at`
 * @param which of `clear` count; asked for twice
 */
export function notCleared(binding: string, which = HOLDS): string {
  const cleared = `
    select from sticky_clear as clear
    where clear.alias_id = ${binding}.alias_id and clear.at >= ${binding}.bound_at and ${which}`
  return `not exists (${cleared} and clear.key = ${binding}.key) and not exists (${cleared} and clear.key is null)`
}

/** Writes one, within a transaction. @param key null: all of the alias's */
export async function writeClear(em: Em, aliasId: string, key: string | null): Promise<Clear> {
  const written = await giveInstruction<Pick<Clear, 'number' | 'at'>>(
    em,
    'insert into sticky_clear (id, alias_id, key, at) values (?, ?, ?, clock_timestamp()) returning number::text, at::text',
    [newId(), aliasId, key],
  )
  return { ...written, aliasId, key }
}

/** A part of an alias's bindings, by their keys. */
interface Part {
  /** How many. */
  readonly size: number
  /** The key of the last. */
  readonly last: string
}
interface CountedPart extends Part {
  readonly live: number
}
const NOTHING_YET: CountedPart = { size: MOST_AT_ONCE, last: '', live: 0 }

const PART = 'select * from sticky_binding where alias_id = ? and key > ? and (?::text is null or key = ?)'

const COUNT = `
  with part as materialized (${PART} order by key limit ?)
  select count(*)::integer as size, max(key) as last, (
    select count(*) from part
    where expires_at > now() and bound_at <= ? and ${notCleared('part', `${HOLDS} and clear.number < ?`)}
  )::integer as live
  from part`

/** How many live bindings one has cleared. */
export async function countCleared(database: Database, { number, aliasId, key, at }: Clear): Promise<number> {
  let live = 0
  let part = NOTHING_YET
  while (part.size === MOST_AT_ONCE) {
    const values = [aliasId, part.last, key, key, MOST_AT_ONCE, at, number, number]
    part = await inIndexOrder<CountedPart>(database, COUNT, values)
    live += part.live
  }
  return live
}

const DELETE = `
  with part as (${PART} and bound_at <= ? order by key limit ? for update),
    gone as (delete from sticky_binding where key in (select key from part) returning key)
  select count(*)::integer as size, max(key) as last from gone`

async function deleteCleared(database: Database, { aliasId, key, at }: Clear, signal: AbortSignal): Promise<void> {
  let part: Part = NOTHING_YET
  while (part.size === MOST_AT_ONCE) {
    signal.throwIfAborted()
    part = await inIndexOrder<Part>(database, DELETE, [aliasId, part.last, key, key, at, MOST_AT_ONCE])
  }
}

/** Hazard: without good statistics each of many statements would read and sort all that is left. */
const IN_INDEX_ORDER = `
  select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('enable_sort', 'off', true)`

function inIndexOrder<Row>(database: Database, sql: string, values: readonly unknown[]): Promise<Row> {
  return database.em().transactional(async (em) => {
    await em.execute(IN_INDEX_ORDER)
    const [row] = await em.execute<Row[]>(sql, [...values])
    return row!
  })
}

/** Deletes what was cleared, and clears that say nothing any more. @param signal ends it between two statements */
export async function sweepClears(database: Database, signal: AbortSignal): Promise<void> {
  const clears = await database.em().execute<Clear[]>(
    `select number::text, alias_id as "aliasId", key, at::text from sticky_clear
     where not swept and at < now() - make_interval(secs => ?) order by sticky_clear.number limit ?`,
    [SETTLED_SECONDS, MOST_SWEPT],
  )
  for (const clear of clears) {
    await deleteCleared(database, clear, signal)
    await database.em().execute('update sticky_clear set swept = true where number = ?', [clear.number])
  }
  await database
    .em()
    .execute('delete from sticky_clear where swept and at < now() - make_interval(secs => ?)', [INSTRUCTION_SECONDS])
}
