/** Makes all sums of usage anew from the records, a day in each transaction: it can be ended anywhere. */
import type { Database, Em } from '../db/database.ts'
import { USAGE_LOCK } from '../db/locks.ts'
import { DAY_MS, floorTo, HOUR_MS, isoOf, type Range } from '../db/time.ts'
import { FOLD_RECORDS } from './fold.ts'
import { readKept } from './kept.ts'

/** A day (UTC) that was made anew. */
export interface Rebuilt {
  readonly day: string
  /** Those that began on it. */
  readonly requests: number
}

const TABLES = ['usage_minute', 'usage_hour', 'usage_day'] as const

/**
 * Beside running control planes, too: what is stored meanwhile is seen with the records, or else waits to be summed up. Until a
 * day is done, it is answered as before. Days of which there are no records, or not all, keep what they have.
 * @param recordDays for how many days records are kept
 * @param told after each day
 * @param signal ends it after the hour that it is at, whose day is left as it was
 * @throws the signal's reason
 */
export async function rebuildUsage(
  database: Database,
  recordDays: number,
  told: (rebuilt: Rebuilt) => void,
  signal: AbortSignal,
): Promise<void> {
  const { record } = await readKept(database.em(), recordDays)
  const tables = ['request_record', ...TABLES]
  let first = await firstAfter(database.em(), ['request_record'], { from: record, to: Infinity })
  while (first !== null) {
    const from = floorTo(first, DAY_MS)
    const range = { from, to: from + DAY_MS }
    const requests = await database.em().transactional((em) => rebuildDay(em, range, signal))
    told({ day: isoOf(from).slice(0, 10), requests })
    first = await firstAfter(database.em(), tables, { from: range.to, to: Infinity })
  }
  for (const table of ['usage_series', ...TABLES]) await database.em().execute(`analyze ${table}`)
}

/** When the first of a range is that one of the tables has; null: none has any. */
async function firstAfter(em: Em, tables: readonly string[], { from, to }: Range): Promise<number | null> {
  const end = to === Infinity ? 'infinity' : isoOf(to)
  const firsts = tables.map((table) => {
    const column = table === 'request_record' ? 'started_at' : 'start'
    return `(select min(${column}) from ${table} where ${column} >= ?::timestamptz and ${column} < ?::timestamptz)`
  })
  const [row] = await em.execute<{ first: number | null }[]>(
    `select (extract(epoch from least(${firsts.join(', ')})) * 1000)::double precision as first`,
    tables.flatMap(() => [isoOf(from), end]),
  )
  return row!.first
}

/**
 * Hazard: each statement sees what was stored until it began. Records and what waits of them are stored by one statement, so
 * that one that reads the former and deletes the latter misses nothing and counts nothing twice.
 */
async function rebuildDay(em: Em, { from, to }: Range, signal: AbortSignal): Promise<number> {
  await em.execute('select pg_advisory_xact_lock(?)', [USAGE_LOCK])
  await em.execute(`set local work_mem = '64MB'`)
  for (const table of TABLES)
    await em.execute(`delete from ${table} where start >= ?::timestamptz and start < ?::timestamptz`, [
      isoOf(from),
      isoOf(to),
    ])
  let requests = 0
  let rest = from
  for (;;) {
    signal.throwIfAborted()
    const first = await firstAfter(em, ['request_record'], { from: rest, to })
    if (first === null) return requests
    const hour = floorTo(first, HOUR_MS)
    rest = hour + HOUR_MS
    const range = [isoOf(hour), isoOf(rest)]
    const [row] = await em.execute<{ requests: number }[]>(FOLD_RECORDS, [...range, ...range])
    requests += row!.requests
  }
}
