/** Why an attempt failed, and what the client is told if no other can follow. */
import { GatewayError, type AttemptErrorClass, type ErrorCode, type RequestStatus } from '@millrace/shared'

import { inBandError } from '../dialects/chat/answer.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'
import { secretsIn } from '../upstream/key-parts.ts'

export interface Failure {
  readonly errorClass: AttemptErrorClass
  /** For operators and clients; holds no secret. */
  readonly message: string
  readonly retryAfterMs: number | null
  /** The upstream's own refusal, where it is the client's to mend. */
  readonly refusal: Refusal | null
  /** Whether another attempt may mend it. */
  readonly retryable: boolean
  /** Why it was not even sent, where the provider can't be asked for it. */
  readonly unsent: GatewayError | null
  /** Whether it is none: another attempt was faster. */
  readonly lost: boolean
}

export interface Refusal {
  readonly status: number
  readonly headers: UpstreamHeaders
  readonly body: Buffer
}

/** The class of an answer by its status. */
export function classOfStatus(status: number): AttemptErrorClass {
  if (status === 401 || status === 403) return 'upstream_auth'
  if (status === 429) return 'upstream_rate_limited'
  if (status >= 500) return 'upstream_5xx'
  return status >= 400 ? 'upstream_4xx' : 'upstream_invalid'
}

/** Whether another route, or a later try, could mend an answer's status: then the client is not shown the provider's own body. */
export function isRetryableStatus(status: number): boolean {
  return status < 400 || status >= 500 || [401, 403, 408, 409, 429].includes(status)
}

/** Whether another route, or a later try, could mend a failure. @param status the upstream's, if it gave one */
export function isRetryable(errorClass: AttemptErrorClass, status: number | null): boolean {
  if (FINAL.has(errorClass)) return false
  return status === null || isRetryableStatus(status)
}

/** There is no time, or nobody, left to try again for. */
const FINAL: ReadonlySet<AttemptErrorClass> = new Set([
  'total_timeout',
  'client_cancelled',
  'admin_cancelled',
  'hedge_lost',
  'shutting_down',
])

/** What a refusal's body says, for people. */
export function refusalMessage(status: number, body: Buffer): string {
  const text = body.subarray(0, 65_536).toString('latin1')
  let message: string
  try {
    message = inBandError(JSON.parse(text)).message
  } catch {
    message = body.subarray(0, 65_536).toString('utf8').replace(/\s+/g, ' ').trim()
  }
  return message ? `HTTP ${status}: ${message}` : `HTTP ${status}`
}

const REDACTED = '[redacted]'

/** Takes a secret out of a text that an upstream may have put it into. */
export function redact(text: string, secret: string | undefined): string {
  if (!secret) return text
  let shown = text
  for (const spelling of spellingsOf(secret)) shown = shown.replaceAll(spelling, REDACTED)
  return shown
}

/** As upstreams repeat a secret, or what is secret in it: plain, and written into JSON, a URL, or base64. */
export function spellingsOf(secret: string): string[] {
  return secretsIn(secret).flatMap(spellingsOfOne)
}

function spellingsOfOne(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1)
  const spellings = [secret, inJson, inJson.replaceAll('/', '\\/'), encodeURIComponent(secret)]
  for (let offset = 0; offset < 3; offset++) {
    // What stands before and after it decides over the characters at its edges.
    const text = Buffer.from('\0'.repeat(offset) + secret).toString('base64')
    const core = text.slice(offset === 0 ? 0 : 4, Math.floor((offset + secret.length) / 3) * 4)
    if (core.length > 0) spellings.push(core, core.replaceAll('+', '-').replaceAll('/', '_'))
  }
  return spellings
}

/** The same for an answer that is passed on; other bytes stay as they are. */
export function redactRefusal({ status, headers, body }: Refusal, secret: string | undefined): Refusal {
  if (!secret) return { status, headers, body }
  const shown: UpstreamHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    shown[name] = Array.isArray(value) ? value.map((one) => redact(one, secret)) : value && redact(value, secret)
  }
  const text = body.toString('latin1')
  const redacted = redact(text, secret)
  return { status, headers: shown, body: redacted === text ? body : Buffer.from(redacted, 'latin1') }
}

/** What a client may read of a failure. Addresses and system errors are the operator's: they stand in the attempt's record. */
export function clientMessage({ errorClass, message }: Failure): string {
  if (errorClass === 'transport_error' || errorClass === 'connect_timeout') return 'the connection failed'
  // Providers like to repeat part of the key that they refuse.
  return errorClass === 'upstream_auth' ? "it does not take the gateway's key" : message
}

/** How a request is recorded that may not go on. */
export function cutStatus({ code }: GatewayError): RequestStatus {
  return code === 'admin_cancelled' ? 'CANCELLED' : 'ERROR'
}

/**
 * How a request is recorded, and its client told, that an answer which had begun could not be finished.
 * @param cutBy why the request itself could not go on
 */
export function brokenOff(
  errorClass: AttemptErrorClass,
  cutBy: GatewayError | null,
): { status: RequestStatus; code: ErrorCode } {
  if (cutBy !== null) return { status: cutStatus(cutBy), code: cutBy.code }
  if (errorClass.endsWith('_timeout')) return { status: 'TIMEOUT', code: 'upstream_timeout' }
  if (errorClass === 'stream_error' || errorClass === 'shutting_down') return { status: 'ERROR', code: errorClass }
  return { status: 'ERROR', code: 'stream_truncated' }
}

/** A provider that is full without saying for how long is left alone for this long. */
const DEFAULT_RETRY_AFTER_MS = 1_000

/** The answer when the last attempt has failed so. */
export function gatewayError(provider: string, failure: Failure): GatewayError {
  const { errorClass, retryAfterMs, unsent } = failure
  if (unsent !== null) return unsent
  const detail = `provider ${provider}: ${clientMessage(failure)}`
  if (errorClass === 'upstream_auth') {
    return new GatewayError('upstream_credentials_exhausted', `Every upstream credential was refused; ${detail}`)
  }
  if (errorClass.endsWith('_timeout'))
    return new GatewayError('upstream_timeout', `The upstream was too slow; ${detail}`)
  if (errorClass === 'shutting_down')
    return new GatewayError('shutting_down', 'The gateway is shutting down.', { retryAfterMs: 1000 })
  const message = `Every route failed; ${detail}`
  if (errorClass === 'upstream_rate_limited') {
    return new GatewayError('all_routes_failed', message, {
      status: 429,
      retryAfterMs: retryAfterMs ?? DEFAULT_RETRY_AFTER_MS,
    })
  }
  return new GatewayError('all_routes_failed', message, retryAfterMs === null ? {} : { retryAfterMs })
}
