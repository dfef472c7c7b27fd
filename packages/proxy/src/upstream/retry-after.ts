import type { UpstreamHeaders } from './call.ts'

/** Beyond this an upstream's wish is a mistake, and a client that slept so long would be lost. */
const MOST_MS = 86_400_000

/** How long an upstream asks to be left alone, in milliseconds: `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, section 10.2.3). */
export function retryAfterOf(headers: UpstreamHeaders, now = Date.now()): number | null {
  const exact = positive(Number.parseFloat(single(headers['retry-after-ms'])))
  if (exact !== null) return exact
  const value = single(headers['retry-after'])
  if (/^\d+(\.\d+)?$/.test(value)) return positive(Number(value) * 1000)
  return positive(Date.parse(value) - now)
}

function single(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

function positive(milliseconds: number): number | null {
  return Number.isFinite(milliseconds) && milliseconds >= 0 ? Math.min(Math.ceil(milliseconds), MOST_MS) : null
}
