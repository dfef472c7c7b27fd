/** What an alias may be told of answers that are given again, and how records and reports speak of them. */
import * as z from 'zod'

import { parseAs } from './parse.ts'
import { oneOf, wholeNumber } from './values.ts'

export const CACHE_OUTCOMES = ['HIT', 'MISS', 'BYPASS', 'COALESCED'] as const
/**
 * HIT: a stored answer was given again. MISS: there was none, and a provider was asked. BYPASS: the cache was not asked.
 * COALESCED: the answer is that of a provider which another request, the same as this, had asked already.
 */
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number]

export const CACHE_TIERS = ['MEMORY', 'SHARED'] as const
/** Where a hit was found: in the proxy's own memory, or in Redis. */
export type CacheTier = (typeof CACHE_TIERS)[number]

export const REPLAY_PACES = ['FULL_SPEED', 'RECORDED'] as const
/** How fast a stored stream is given again: as fast as the client takes it, or with the pauses that it had. */
export type ReplayPace = (typeof REPLAY_PACES)[number]

const MONTH_SECONDS = 31 * 86_400

export const cachePolicy = z.strictObject({
  /** Whether answers are stored and given again. */
  enabled: z.boolean(),
  /** How long a stored answer is given, from when it was complete. */
  ttlSeconds: wholeNumber(1, MONTH_SECONDS),
  /** Whether a project's tokens have each other's answers; else each has only its own. */
  shareAcrossProject: z.boolean(),
  /** Whether requests that are the same, and under way at once, share one upstream call. */
  coalesce: z.boolean(),
  /** Whether answers that have their reader call tools are stored too: given again, they would be carried out again. */
  storeToolCalls: z.boolean(),
  replayPace: oneOf(REPLAY_PACES),
})
export type CachePolicy = Readonly<z.infer<typeof cachePolicy>>
export const DEFAULT_CACHE: CachePolicy = {
  enabled: false,
  ttlSeconds: 3_600,
  shareAcrossProject: false,
  coalesce: false,
  storeToolCalls: false,
  replayPace: 'FULL_SPEED',
}

const count = z.int().min(0)

/** How a proxy's cache does. `entries` and `bytes` are its memory's, now; the others count since it started. */
const cacheReport = z.object({
  entries: count,
  bytes: count,
  hits: count,
  misses: count,
  stores: count,
  /** Requests that went past the cache though their alias has one. */
  bypasses: count,
  coalesced: count,
})
export type CacheReport = Readonly<z.infer<typeof cacheReport>>
export const NO_CACHE_REPORT: CacheReport = {
  entries: 0,
  bytes: 0,
  hits: 0,
  misses: 0,
  stores: 0,
  bypasses: 0,
  coalesced: 0,
}

/**
 * Reads what claims to be a proxy's cache report.
 * @param value null or undefined: the proxy is of before there was a cache
 * @throws Error naming the first path that is wrong
 */
export function parseCacheReport(value: unknown): CacheReport {
  return value === null || value === undefined ? NO_CACHE_REPORT : parseAs(cacheReport, value, 'cache')
}

/** What several have counted, in sum. */
export function mergeCacheReports(reports: readonly CacheReport[]): CacheReport {
  const sum = { ...NO_CACHE_REPORT }
  for (const report of reports) for (const name of NAMES) sum[name] += report[name]
  return sum
}

const NAMES = Object.keys(NO_CACHE_REPORT) as (keyof CacheReport)[]
