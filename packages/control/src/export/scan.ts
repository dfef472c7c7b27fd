/** Many records out of the database, newest first, a page at a time, however few of all that are there are wanted. */
import { setImmediate as turn } from 'node:timers/promises'

import type { RequestRecord } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { isStatementTimeout } from '../db/failure.ts'
import { allOf, fill, sql } from '../listing/sql.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import { SELECTED, toRecord, type RecordRow } from '../requests/request.row.ts'

const PAGE = 500
/**
 * One query looks through no more time than this, so that each is short: on the embedded database, which it stops, and on a
 * server that sorts a whole stretch because its statistics are of before.
 */
const WINDOW_MS = { first: 60_000, least: 1_000, most: 86_400_000 }
/** Where a page was full, the next query looks through the time of so many. */
const PAGES_AHEAD = 8
/** A search that takes less lets the next look further; one that takes more, less far. */
const QUICK_MS = 50
const SLOW_MS = 500
const STEP = 4
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

export interface Scan {
  readonly conditions: readonly SqlCondition[]
  /** Of records that started before this moment; null: of all. */
  readonly until: Date | null
  /** Of records that started at this moment or later; null: of all. */
  readonly from: Date | null
  /** Records at most; null: all. */
  readonly limit: number | null
}

interface Place {
  readonly startedAt: string
  readonly id: string
}

/**
 * Between two pages others have their turn at the database and at this process. A page may be empty: so whoever wants them
 * no more can end a long search, too.
 */
export async function* scanRecords(database: Database, scan: Scan): AsyncGenerator<readonly RequestRecord[], void> {
  const { conditions, until, from } = scan
  let windowMs = WINDOW_MS.first
  let left = scan.limit ?? Infinity
  let before = await newestBefore(database, until, from)
  while (before !== null && left > 0) {
    const floor = new Date(Date.parse(before.startedAt) - windowMs)
    const most = Math.min(PAGE, left)
    const began = performance.now()
    let page: readonly RequestRecord[]
    try {
      page = await readPage(database, [...conditions, between(floor, before)], most)
    } catch (error) {
      if (!isStatementTimeout(error) || windowMs === WINDOW_MS.least) throw error
      windowMs = bounded(windowMs / STEP ** 2)
      continue
    }
    const tookMs = performance.now() - began
    yield page
    left -= page.length
    await turn()
    if (page.length === most) {
      const last = page.at(-1)!
      windowMs = bounded(PAGES_AHEAD * (Date.parse(before.startedAt) - Date.parse(last.startedAt)))
      before = last
      continue
    }
    const asked = performance.now()
    before = await newestBefore(database, floor, from)
    // Less what any query takes: a server far away, or a busy one, would never be asked for more at once.
    const searchMs = tookMs - (performance.now() - asked)
    if (searchMs < QUICK_MS) windowMs = bounded(windowMs * STEP)
    else if (searchMs > SLOW_MS) windowMs = bounded(windowMs / STEP)
  }
}

function bounded(windowMs: number): number {
  return Math.max(WINDOW_MS.least, Math.min(WINDOW_MS.most, windowMs))
}

/** Without their decisions. */
async function readPage(
  database: Database,
  conditions: readonly SqlCondition[],
  most: number,
): Promise<readonly RequestRecord[]> {
  const records = sql`select * from request_record where ${allOf(conditions)} order by started_at desc, id desc limit ${most}`
  const page = sql`select ${SELECTED} from (${records}) as r, (select null as decision) as d
    order by r.started_at desc, r.id desc`
  const rows = await database.em().execute<RecordRow[]>(...fill(page))
  return rows.map(toRecord)
}

/** The time alone, too: partitions are told by that. */
function between(floor: Date, { startedAt, id }: Place): SqlCondition {
  return {
    sql: 'started_at >= ? and started_at <= ?::timestamptz and (started_at, id) < (?::timestamptz, ?::uuid)',
    values: [floor, startedAt, startedAt, id],
  }
}

/** So that stretches of time in which there is nothing cost nothing. */
async function newestBefore(database: Database, moment: Date | null, from: Date | null): Promise<Place | null> {
  const [row] = await database.em().execute<{ at: string | Date }[]>(
    `select started_at as at from request_record
     where started_at < coalesce(?::timestamptz, 'infinity') and started_at >= coalesce(?::timestamptz, '-infinity')
     order by started_at desc limit 1`,
    [moment, from],
  )
  return row ? { startedAt: new Date(row.at).toISOString(), id: LAST_ID } : null
}
