import type { UpstreamHeaders } from './call.ts'

/** Beyond this an upstream's wish is a mistake, and a client that slept so long would be lost. */
const MOST_MS = 86_400_000

/** When a limit is reset, and what is left of it until then. OpenAI's and Groq's, Anthropic's, and everyone else's. */
const LIMITS = [
  ['x-ratelimit-reset-requests', 'x-ratelimit-remaining-requests'],
  ['x-ratelimit-reset-tokens', 'x-ratelimit-remaining-tokens'],
  ['anthropic-ratelimit-requests-reset', 'anthropic-ratelimit-requests-remaining'],
  ['anthropic-ratelimit-tokens-reset', 'anthropic-ratelimit-tokens-remaining'],
  ['anthropic-ratelimit-input-tokens-reset', 'anthropic-ratelimit-input-tokens-remaining'],
  ['anthropic-ratelimit-output-tokens-reset', 'anthropic-ratelimit-output-tokens-remaining'],
  ['x-ratelimit-reset', 'x-ratelimit-remaining'],
] as const

/** Milliseconds; as Go writes durations. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/
const NUMBER = /^\d+(?:\.\d+)?$/
const RFC_3339 = /^\d{4}-\d\d-\d\dT/

/**
 * How long an upstream asks to be left alone, in milliseconds: `retry-after-ms`, else `retry-after` in seconds or as a date
 * (RFC 9110, section 10.2.3). Else, of an answer that refuses for now, the longest time until a limit that it used up is
 * reset; where a 429 names none that is used up, until all are.
 * @param status of a 429 and a 503 the limits count too: other answers tell them with no need to wait
 * @param now milliseconds since 1970
 * @returns null: it doesn't say
 */
export function retryAfterOf(headers: UpstreamHeaders, status = 0, now = Date.now()): number | null {
  const exact = positive(Number.parseFloat(single(headers['retry-after-ms'])))
  if (exact !== null) return exact
  const value = single(headers['retry-after'])
  const asked = NUMBER.test(value) ? positive(Number(value) * 1_000) : untilDate(value, headers, now)
  if (asked !== null || (status !== 429 && status !== 503)) return asked
  return resetOf(headers, status, now)
}

/** By the upstream's own clock, where it tells it: to the second, rounded down, so that the wait is not too short. */
function untilDate(value: string, headers: UpstreamHeaders, now: number): number | null {
  const theirs = Date.parse(single(headers['date']))
  return positive(Date.parse(value) - (Number.isNaN(theirs) ? now : theirs))
}

function resetOf(headers: UpstreamHeaders, status: number, now: number): number | null {
  let usedUp: number | null = null
  let untold: number | null = null
  let any: number | null = null
  for (const [reset, remaining] of LIMITS) {
    const wait = waitUntil(single(headers[reset]), now)
    if (wait === null) continue
    const left = single(headers[remaining])
    any = Math.max(any ?? 0, wait)
    if (left === '') untold = Math.max(untold ?? 0, wait)
    else if (Number(left) <= 0) usedUp = Math.max(usedUp ?? 0, wait)
  }
  return usedUp ?? (status === 429 ? any : untold)
}

/** From a duration (`6m0s`), a date, seconds, or seconds or milliseconds since 1970. */
function waitUntil(text: string, now: number): number | null {
  if (NUMBER.test(text)) {
    const number = Number(text)
    if (number >= 1e11) return positive(number - now)
    return positive(number >= 1e9 ? number * 1_000 - now : number * 1_000)
  }
  if (RFC_3339.test(text)) return positive(Date.parse(text) - now)
  return DURATION.test(text) ? positive(durationOf(text)) : null
}

function durationOf(duration: string): number {
  let sum = 0
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)([a-zµ]+)/g)) sum += Number(amount) * UNITS[unit!]!
  return sum
}

function single(value: string | string[] | undefined): string {
  return ((Array.isArray(value) ? value[0] : value) ?? '').trim()
}

function positive(milliseconds: number): number | null {
  return Number.isFinite(milliseconds) && milliseconds >= 0 ? Math.min(Math.ceil(milliseconds), MOST_MS) : null
}
