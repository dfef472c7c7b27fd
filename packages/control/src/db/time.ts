/** Stretches of time. Moments are milliseconds since 1970, UTC. */

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** From a moment on, before another. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** The last whole multiple that is not later. Days since 1970 have no leap seconds. */
export function floorTo(time: number, unit: number): number {
  return Math.floor(time / unit) * unit
}

/** The first whole multiple that is not sooner. */
export function ceilTo(time: number, unit: number): number {
  return Math.ceil(time / unit) * unit
}

/** As PostgreSQL reads it, also after the year 9999. */
export function isoOf(time: number): string {
  return new Date(time).toISOString().replace(/^\+0*/, '')
}
