/** For how long sums are kept, and from when on there is all of them. */
import type { Em } from '../db/database.ts'
import { DAY_MS, floorTo, HOUR_MS, isoOf } from '../db/time.ts'
import type { Kept } from './plan.ts'

/** Of minutes. */
export const MINUTE_DAYS = 3
/** Deleted in one transaction at most. */
const MOST_DELETED = 5_000
/** Sums are deleted so much later than they are no longer read: clocks differ. */
const GRACE_MS = HOUR_MS

/** What there is all of by the settings. Records go by whole days: one day sooner none is counted on. */
function keptBySettings(recordDays: number, now: number): Kept {
  const record = floorTo(now, DAY_MS) - (recordDays - 1) * DAY_MS
  return { minute: floorTo(now - MINUTE_DAYS * DAY_MS, HOUR_MS), hour: record - DAY_MS, record }
}

/** What there is all of: where settings have been lower before, or it was so already, less than they say. */
export async function readKept(em: Em, recordDays: number, now = Date.now()): Promise<Kept> {
  const rows = await em.execute<{ what: string; since: number }[]>(
    'select what, (extract(epoch from since) * 1000)::double precision as since from usage_kept',
  )
  const since = new Map(rows.map((row) => [row.what, row.since]))
  const kept = keptBySettings(recordDays, now)
  return {
    minute: Math.max(kept.minute, since.get('MINUTE') ?? -Infinity),
    hour: Math.max(kept.hour, since.get('HOUR') ?? -Infinity),
    record: Math.max(kept.record, since.get('RECORD') ?? -Infinity),
  }
}

/** Notes what is no longer counted on, for ever: what was deleted does not come back with another setting. */
export async function noteKept(em: Em, recordDays: number, now = Date.now()): Promise<void> {
  const { minute, hour, record } = keptBySettings(recordDays, now)
  await em.execute(
    `update usage_kept set since = told.since
     from (values ('MINUTE', ?::timestamptz), ('HOUR', ?::timestamptz), ('RECORD', ?::timestamptz)) as told (what, since)
     where usage_kept.what = told.what and usage_kept.since < told.since`,
    [isoOf(minute), isoOf(hour), isoOf(record)],
  )
}

/** Deletes some of the sums that are not read any more. @returns whether there may be more */
export async function deleteOldSums(em: Em, now = Date.now()): Promise<boolean> {
  const { minute, hour } = await readKept(em, Infinity, now)
  let most = 0
  for (const [table, since] of [
    ['usage_minute', minute],
    ['usage_hour', hour],
  ] as const) {
    const [row] = await em.execute<{ count: number }[]>(
      `with gone as (
         delete from ${table} where (series, start) in (select series, start from ${table} where start < ?::timestamptz limit ${MOST_DELETED})
         returning 1
       ) select count(*)::integer as count from gone`,
      [isoOf(since - GRACE_MS)],
    )
    most = Math.max(most, row!.count)
  }
  return most >= MOST_DELETED
}
