/**
 * Tables in partitions, a day (UTC) each: they are made ahead, and dropped whole when their time is over. What fits no day's
 * partition lies in the default one: a row is taken whatever its time is.
 */
import type { Database, Em } from './database.ts'
import { PARTITION_LOCK } from './locks.ts'
import { DAY_MS } from './time.ts'

/** A table that is partitioned by range of a `timestamptz`, with a default partition: see {@link partitionStatements}. */
export interface PartitionedTable {
  readonly name: string
  /** What it is partitioned by. */
  readonly column: string
  /** How many whole days are kept, beside the one that has begun. */
  readonly keepDays: number
  /** When a row was stored. One that came after its retention is kept for a day from then; without it, it goes at once. */
  readonly storedColumn?: string
}

/** So many days are made beforehand: for so long nobody need look after them. */
const DAYS_AHEAD = 3
/** For rows that came late, partitions are made so many days back. Older ones stay in the default partition. */
const DAYS_BACK = 100
/** More than so many of a day are not moved out of the default partition: nobody reads or writes meanwhile (a second for 10,000). */
const MOST_MOVED = 5_000
const MOST_DELETED = 10_000
/** Whoever waits for a lock holds up all who come after him. */
const LOCK_TIMEOUT_MS = 500
/** A day goes a little later than it might: clocks differ. */
const GRACE_MS = 3_600_000

/** What a migration runs for a table that is `partition by range (…)`. */
export function partitionStatements(name: string): string[] {
  return [`create table ${name}_default partition of ${name} default`]
}

/** Keeps partitions. Several control processes may do so on one database: one at a time does. */
export class Partitions {
  readonly #database: Database
  readonly #tables: readonly PartitionedTable[]

  constructor(database: Database, tables: readonly PartitionedTable[]) {
    this.#database = database
    this.#tables = tables
  }

  /**
   * Makes those that are wanted and drops those that are over, each in a transaction of its own, for which who reads or writes
   * waits half a second or so, and goes before. What could not be done because of them is done the next time.
   * @param signal ends it between two partitions
   * @throws the first failure, once all tables had their turn
   */
  async keepUp(signal: AbortSignal, now = new Date()): Promise<void> {
    const failures: unknown[] = []
    for (const table of this.#tables) {
      try {
        while (!signal.aborted && (await this.#step(table, now.getTime())));
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0] as Error
  }

  /** Does one thing. @returns whether there may be another */
  #step(table: PartitionedTable, now: number): Promise<boolean> {
    return this.#database.em().transactional(async (em) => {
      const [row] = await em.execute<{ locked: boolean }[]>('select pg_try_advisory_xact_lock(?) as locked', [
        PARTITION_LOCK,
      ])
      if (!row!.locked) return false
      await em.execute(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
      const today = dayOf(now)
      const oldest = dayOf(now - GRACE_MS) - table.keepDays
      const days = await partitionDays(em, table.name)
      const wanted = await wantedDays(em, table, days, oldest, today)
      const missing = wanted.find((day) => !days.includes(day))
      if (missing !== undefined) await makePartition(em, table, missing)
      else if (days[0] !== undefined && days[0] < oldest)
        await em.execute(`drop table ${partitionOf(table.name, days[0])}`)
      else return (await deleteOld(em, table, startOf(oldest), now)) === MOST_DELETED
      return true
    })
  }
}

/** Days since 1970 that have a partition, the oldest first. */
export async function partitionDays(em: Em, name: string): Promise<number[]> {
  const rows = await em.execute<{ date: string }[]>(
    `select substring(relname from '_(\\d{8})$') as date from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent = ?::regclass and relname ~ '_\\d{8}$'`,
    [name],
  )
  return rows.map(({ date }) => dayOf(Date.parse(date.replace(/(....)(..)(..)/, '$1-$2-$3')))).sort((a, b) => a - b)
}

/** Those that rows have come to of late: today's, yesterday's, and the default one. */
export async function recentPartitions(em: Em, name: string): Promise<string[]> {
  const today = dayOf(Date.now())
  const days = (await partitionDays(em, name)).filter((day) => day === today || day === today - 1)
  return [`${name}_default`, ...days.map((day) => partitionOf(name, day))]
}

/**
 * Today first, since it is needed now; then those ahead; then those on which nobody looked after them, whose rows may come any
 * moment, and many; then those for which rows came late. But not one of which there are more rows in the default partition than
 * can be moved.
 * @param days that have one, the oldest first
 */
async function wantedDays(
  em: Em,
  { name, column }: PartitionedTable,
  days: readonly number[],
  oldest: number,
  today: number,
): Promise<number[]> {
  const first = Math.max(oldest, today - DAYS_BACK)
  const dayAfter = (moment: string): string => `date_trunc('day', ${moment}, 'UTC') + interval '24 hours'`
  const end = startOf(today + DAYS_AHEAD + 1)
  const rows = await em.execute<{ at: string; movable: boolean }[]>(
    `with recursive late (at) as (
       select min(${column}) from ${name}_default where ${column} >= ?::timestamptz
       union all
       select (select min(${column}) from ${name}_default where ${column} >= ${dayAfter('late.at')}) from late
       where at < ?::timestamptz
     )
     select at, (
       select count(*) from (
         select from ${name}_default where ${column} >= at and ${column} < ${dayAfter('at')} limit ${MOST_MOVED + 1}
       ) as counted
     ) <= ${MOST_MOVED} as movable
     from late where at < ?::timestamptz`,
    [startOf(first), end, end],
  )
  const late = rows.map(({ at, movable }) => ({ day: dayOf(new Date(at).getTime()), movable }))
  const ahead = Array.from({ length: DAYS_AHEAD + 1 }, (_, i) => today + i)
  const last = days.findLast((day) => day < today) ?? today
  const missed = Array.from({ length: Math.max(0, today - first) }, (_, i) => first + i).filter((day) => day > last)
  const stuck = new Set(late.flatMap(({ day, movable }) => (movable ? [] : [day])))
  return [...ahead, ...missed, ...late.map(({ day }) => day)].filter((day) => !stuck.has(day))
}

/** Filled before it is attached: until then nobody else knows of it. What it gets is seen in one place or the other, never in both. */
async function makePartition(em: Em, { name, column }: PartitionedTable, day: number): Promise<void> {
  const partition = partitionOf(name, day)
  const bounds = [startOf(day), startOf(day + 1)]
  await em.execute(`create table ${partition} (like ${name} including all excluding indexes)`)
  // The parent too: who was planned before the attachment would wait at the default one, then look there in vain for what was
  // moved, or put there what it does not take any more.
  await em.execute(`lock table only ${name}, ${name}_default in access exclusive mode`)
  await em.execute(
    `with moved as (
       delete from ${name}_default where ${column} >= ?::timestamptz and ${column} < ?::timestamptz returning *
     )
     insert into ${partition} select * from moved`,
    bounds,
  )
  await em.execute(`alter table ${name} attach partition ${partition} for values from (?) to (?)`, bounds)
}

/** Of the default partition. @returns how many went */
async function deleteOld(em: Em, table: PartitionedTable, before: string, now: number): Promise<number> {
  const { name, column, storedColumn } = table
  const stored = storedColumn === undefined ? '' : `and ${storedColumn} < ?::timestamptz`
  const [row] = await em.execute<{ gone: number }[]>(
    `with gone as (
       delete from ${name}_default where ctid = any(array(
         select ctid from ${name}_default where ${column} < ?::timestamptz ${stored} limit ${MOST_DELETED}
       )) returning 1
     )
     select count(*)::integer as gone from gone`,
    [before, ...(storedColumn === undefined ? [] : [new Date(now - DAY_MS).toISOString()])],
  )
  return row!.gone
}

/** What a day's partition is called: `request_record_20261120`. */
export function partitionOf(name: string, day: number): string {
  return `${name}_${startOf(day).slice(0, 10).replaceAll('-', '')}`
}

/** The day of a moment: since 1970, UTC. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** Its first moment, RFC 3339. */
export function startOf(day: number): string {
  return new Date(day * DAY_MS).toISOString()
}
