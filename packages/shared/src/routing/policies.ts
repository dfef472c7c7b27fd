/** What an alias and a provider may be told of failures, with what holds unless they are told. */
import * as z from 'zod'

import { numberFrom, oneOf, wholeNumber } from '../values.ts'
import { STICKY_SCOPES } from './names.ts'

const DAY_MS = 86_400_000
const MONTH_SECONDS = 31 * 86_400

export const stickyPolicy = z.strictObject({
  scope: oneOf(STICKY_SCOPES),
  /** From its last use. */
  ttlSeconds: wholeNumber(1, MONTH_SECONDS),
})
export type StickyPolicy = Readonly<z.infer<typeof stickyPolicy>>
export const DEFAULT_STICKY: StickyPolicy = { scope: 'NONE', ttlSeconds: 3_600 }

export const retryPolicy = z.strictObject({
  /** The first among them. Going on to the next upstream key after a refused one counts as none. */
  maxAttempts: wholeNumber(1, 20),
  initialBackoffMs: wholeNumber(0, DAY_MS),
  multiplier: numberFrom(1, 100),
  /** Also how long an upstream's `retry-after` is waited for; a longer one is not. */
  maxBackoffMs: wholeNumber(0, DAY_MS),
  /** The share by which a backoff is longer or shorter at random. */
  jitter: numberFrom(0, 1),
})
export type RetryPolicy = Readonly<z.infer<typeof retryPolicy>>
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  initialBackoffMs: 500,
  multiplier: 2,
  maxBackoffMs: 8_000,
  jitter: 0.2,
}

export const hedgePolicy = z.strictObject({
  /** Milliseconds without a first token after which a second route is asked. */
  afterMs: wholeNumber(1, DAY_MS),
  /** Of the alias's requests: how many may be asked twice. */
  maxExtraPercent: numberFrom(0, 100),
})
export type HedgePolicy = Readonly<z.infer<typeof hedgePolicy>>
/** For what a policy that sets only a part leaves out. */
export const DEFAULT_HEDGE: HedgePolicy = { afterMs: 1_000, maxExtraPercent: 5 }

/** Opens at `errorRate` of at least `minRequests` in the window, or at `consecutiveFailures` in a row; 0: that rule is off. */
export const breakerPolicy = z.strictObject({
  errorRate: numberFrom(0, 1),
  minRequests: wholeNumber(1, 1_000_000),
  windowSeconds: wholeNumber(1, 3_600),
  consecutiveFailures: wholeNumber(0, 1_000_000),
  /** How long it stays open the first time; doubled each time that its trial fails. */
  openSeconds: wholeNumber(1, 86_400),
  maxOpenSeconds: wholeNumber(1, 86_400),
})
export type BreakerPolicy = Readonly<z.infer<typeof breakerPolicy>>
export const DEFAULT_BREAKER: BreakerPolicy = {
  errorRate: 0.5,
  minRequests: 10,
  windowSeconds: 30,
  consecutiveFailures: 0,
  openSeconds: 5,
  maxOpenSeconds: 60,
}
