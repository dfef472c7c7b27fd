/** Windows of budgets, as `windowOf` spells them, and the days that they have. */

/** The first and the last, `2026-11-20`. */
export interface Days {
  readonly from: string
  readonly to: string
}

/**
 * @param window `2026-11-20`, `2026-11` or `total`
 * @returns null for anything else
 */
export function daysOf(window: string): Days | null {
  if (window === 'total') return { from: '-infinity', to: 'infinity' }
  const [, year, month, day] = /^(?!0000)(\d{4})-(\d\d)(?:-(\d\d))?$/.exec(window) ?? []
  if (year === undefined) return null
  const first = isoDay(`${year}-${month}-01`)
  if (first === null) return null
  if (day !== undefined) return isoDay(window) === null ? null : { from: window, to: window }
  const last = new Date(Date.UTC(Number(year), Number(month), 0))
  return { from: first, to: last.toISOString().slice(0, 10) }
}

/** The day itself; null where there is none of that name. */
function isoDay(day: string): string | null {
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day) ? day : null
}
