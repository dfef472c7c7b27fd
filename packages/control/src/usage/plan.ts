/** From which tables an answer is put together: the coarsest sums that fit, and single requests for what is left over. */
import { ceilTo, DAY_MS, floorTo, HOUR_MS, isoOf, MINUTE_MS, type Range } from '../db/time.ts'
import { badInput } from '../graphql/errors.ts'
import type { Interval } from './interval.ts'

/** From which moments on there is all of it. Of days there always is. */
export interface Kept {
  readonly minute: number
  readonly hour: number
  readonly record: number
}

export type Tier = 'day' | 'hour' | 'minute' | 'record'

export interface Piece extends Range {
  readonly tier: Tier
}

const UNITS = { day: DAY_MS, hour: HOUR_MS, minute: MINUTE_MS } as const

/** Of sums, those that tell the intervals apart. */
const TIERS: Readonly<Record<Interval, readonly (keyof typeof UNITS)[]>> = {
  MINUTE: ['minute'],
  HOUR: ['hour', 'minute'],
  DAY: ['day', 'hour', 'minute'],
  MONTH: ['day', 'hour', 'minute'],
  TOTAL: ['day', 'hour', 'minute'],
}

/**
 * Pieces that together are the range, each of whole units of its tier.
 * @throws GraphQLError BAD_USER_INPUT where what is kept no longer tells
 */
export function planOf(range: Range, interval: Interval, kept: Kept): Piece[] {
  return cover(range, TIERS[interval], kept)
}

/** All of it by single requests. @throws GraphQLError BAD_USER_INPUT where they are not all kept */
export function planOfRecords(range: Range, kept: Kept): Piece[] {
  return cover(range, [], kept)
}

function cover({ from, to }: Range, [tier, ...finer]: readonly (keyof typeof UNITS)[], kept: Kept): Piece[] {
  if (from >= to) return []
  if (tier === undefined) {
    if (from < kept.record) throw tooFine(kept)
    return [{ tier: 'record', from, to }]
  }
  const since = tier === 'day' ? -Infinity : ceilTo(kept[tier], UNITS[tier])
  const begin = Math.max(ceilTo(from, UNITS[tier]), since)
  const end = floorTo(to, UNITS[tier])
  if (begin >= end) return cover({ from, to }, finer, kept)
  return [
    ...cover({ from, to: begin }, finer, kept),
    { tier, from: begin, to: end },
    ...cover({ from: end, to }, finer, kept),
  ]
}

function tooFine({ minute, hour, record }: Kept): Error {
  const kept = `there are sums of minutes from ${isoOf(minute)} on, of hours from ${isoOf(hour)} on, single requests from ${isoOf(record)} on, and sums of whole days (UTC) of all time`
  return badInput('query', `cannot be told exactly any more: ${kept}`)
}
