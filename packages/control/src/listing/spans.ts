/** Time cut where day partitions begin and end, so that a query knows beforehand in which of them it looks, and in what order. */
import { DAY_MS } from '../db/time.ts'

/** So many days the first query of a page looks at, some of them to come; the next one; and each after these. */
const STRETCHES = [7, 25, 100]

/** From `from` on, before `to`: milliseconds since 1970, or infinite. All of it lies in days' partitions, or in the default one. */
export interface Span {
  readonly from: number
  readonly to: number
  /** Partitions; 0: the default one. */
  readonly days: number
}

/** What one query looks at, the newest span first. */
export type Stretch = readonly Span[]

/**
 * All time from `from` on and before `to`, the newest first.
 * @param days since 1970 that have a partition, the oldest first
 */
export function stretchesOf(days: readonly number[], from: number, to: number): Stretch[] {
  const stretches: Span[][] = []
  let stretch: Span[] = []
  let room = STRETCHES[0]!
  const add = (start: number, end: number, count: number): void => {
    const span = { from: Math.max(start, from), to: Math.min(end, to), days: count }
    if (span.from < span.to) stretch.push(span)
  }
  let end = Infinity
  for (const run of runsOf(days)) {
    add(run.to * DAY_MS, end, 0)
    for (let day = run.to; day > run.from;) {
      const first = Math.max(run.from, day - room)
      // Of a span that is cut off by `to`, nothing is used up.
      if (first * DAY_MS < to) room -= day - first
      add(first * DAY_MS, day * DAY_MS, day - first)
      day = first
      if (room > 0) continue
      stretches.push(stretch)
      stretch = []
      room = STRETCHES[Math.min(stretches.length, STRETCHES.length - 1)]!
    }
    end = run.from * DAY_MS
  }
  add(-Infinity, end, 0)
  stretches.push(stretch)
  return stretches.filter(({ length }) => length > 0)
}

/** Days without a gap, the newest first; `to` is the day after the last. */
function runsOf(days: readonly number[]): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = []
  for (const day of days.toReversed()) {
    const run = runs.at(-1)
    if (run?.from === day + 1) run.from = day
    else runs.push({ from: day, to: day + 1 })
  }
  return runs
}
