/** What usage is told by, in UTC. */
export const INTERVALS = ['MINUTE', 'HOUR', 'DAY', 'MONTH', 'TOTAL'] as const
export type Interval = (typeof INTERVALS)[number]
