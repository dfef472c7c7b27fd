/** How providers and routes do, as one proxy sees it and reports it; control puts the fleet's together. */
import * as z from 'zod'

import { parseAs } from './parse.ts'
import { BREAKER_STATES } from './routing/names.ts'
import { SKETCH_BUCKETS } from './sketch.ts'

/** Of each list, what one report may hold. */
export const MOST_REPORTED = 10_000

const count = z.int().min(0)
const milliseconds = z.number().min(0)
/** Pairs of a bucket's index and what is in it; see sketch.ts. */
const sketch = z
  .array(
    z.tuple([
      z
        .int()
        .min(0)
        .max(SKETCH_BUCKETS - 1),
      count,
    ]),
  )
  .max(SKETCH_BUCKETS)

const providerHealth = z.object({
  providerId: z.uuid(),
  state: z.enum(BREAKER_STATES),
  /** What the breaker counts, in its window. */
  windowRequests: count,
  windowErrors: count,
  inFlight: count,
  /** Of attempts that succeeded in the last minutes, whole. */
  latency: sketch,
  timeToFirstToken: sketch,
  openedAt: z.iso.datetime().nullable(),
  retryAt: z.iso.datetime().nullable(),
  lastError: z.string().max(500).nullable(),
  lastErrorAt: z.iso.datetime().nullable(),
})

const routeFigures = z.object({
  coolingUntil: z.iso.datetime().nullable(),
  /** What LEAST_LATENCY goes by: peak-EWMA of the time to the first token of streams, and to the answer otherwise. */
  streamLatencyMs: milliseconds.nullable(),
  answerLatencyMs: milliseconds.nullable(),
  inFlight: count,
})

const routeHealth = routeFigures.extend({ routeId: z.uuid() })

/** Of the way to a provider that is no alias's: NAME/MODEL's. */
const directHealth = routeFigures.extend({ providerId: z.uuid() })

const credentialHealth = z.object({
  credentialId: z.uuid(),
  coolingUntil: z.iso.datetime().nullable(),
  /** Whether this proxy can't use it: it does not open, or is a variable that is not set there or not allowed. */
  unusable: z.boolean().default(false),
})

const healthReport = z.object({
  /** Those that were asked since the proxy started, or are not CLOSED. */
  providers: z.array(providerHealth).max(MOST_REPORTED),
  /** Those that were asked in the last minutes, or are cooling down. */
  routes: z.array(routeHealth).max(MOST_REPORTED),
  direct: z.array(directHealth).max(MOST_REPORTED).default([]),
  /** Upstream keys that are cooling down, or can't be used. */
  credentials: z.array(credentialHealth).max(MOST_REPORTED).default([]),
})

export type ProviderHealthReport = z.infer<typeof providerHealth>
export type RouteFigures = z.infer<typeof routeFigures>
export type RouteHealthReport = z.infer<typeof routeHealth>
export type CredentialHealthReport = z.infer<typeof credentialHealth>
export type HealthReport = z.infer<typeof healthReport>

/**
 * Reads what claims to be a proxy's health.
 * @param value null or undefined: the proxy is of before there were such reports, and nothing is known
 * @throws Error naming the first path that is wrong
 */
export function parseHealth(value: unknown): HealthReport {
  if (value === null || value === undefined) return { providers: [], routes: [], direct: [], credentials: [] }
  return parseAs(healthReport, value, 'health')
}
