/** How providers and routes do, as one proxy sees it and reports it; control puts the fleet's together. */
import * as z from 'zod'

import { BREAKER_STATES } from './routing/names.ts'
import { SKETCH_BUCKETS } from './sketch.ts'

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

const routeHealth = z.object({
  routeId: z.uuid(),
  coolingUntil: z.iso.datetime().nullable(),
  /** What LEAST_LATENCY goes by: peak-EWMA of the time to the first token of streams, and to the answer otherwise. */
  streamLatencyMs: milliseconds.nullable(),
  answerLatencyMs: milliseconds.nullable(),
  inFlight: count,
})

const credentialHealth = z.object({
  credentialId: z.uuid(),
  coolingUntil: z.iso.datetime(),
})

const healthReport = z.object({
  /** Those that were asked since the proxy started, or are not CLOSED. */
  providers: z.array(providerHealth).max(10_000),
  /** Those that were asked in the last minutes, or are cooling down. */
  routes: z.array(routeHealth).max(10_000),
  /** Upstream keys that are cooling down. */
  credentials: z.array(credentialHealth).max(10_000).default([]),
})

export type ProviderHealthReport = z.infer<typeof providerHealth>
export type RouteHealthReport = z.infer<typeof routeHealth>
export type CredentialHealthReport = z.infer<typeof credentialHealth>
export type HealthReport = z.infer<typeof healthReport>

/**
 * Reads what claims to be a proxy's health.
 * @throws Error naming the first path that is wrong
 */
export function parseHealth(value: unknown): HealthReport {
  const result = healthReport.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new Error(`malformed health: ${issue.path.join('.') || 'report'}: ${issue.message}`)
}
