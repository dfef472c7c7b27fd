/** Gemini's errors: Google's `Status` in JSON, alone or in a list (its guide "Troubleshooting"). */
import type { ProviderError } from '../../canonical/answer.ts'
import { filledText, isObject, listOf, objectOf, type JsonObject } from '../../canonical/values.ts'

const MOST_RETRY_MS = 86_400_000
/** As Google writes durations: seconds, with a fraction or without. */
const DURATION = /^(\d{1,9}(?:\.\d{1,9})?)s$/

/** @returns null: there is none in it */
export function readError(value: unknown): ProviderError | null {
  const body = Array.isArray(value) ? value.find((one) => isObject(one) && 'error' in one) : value
  if (!isObject(body) || !isObject(body['error'])) return null
  const { message, status, code, details } = body['error']
  const reason = detailOf(details, 'ErrorInfo')['reason']
  const [violation] = listOf(detailOf(details, 'BadRequest')['fieldViolations'])
  const retryAfterMs = millisecondsOf(detailOf(details, 'RetryInfo')['retryDelay'])
  const text = filledText(message) ?? filledText(status) ?? 'unknown error'
  return {
    message: text,
    type: filledText(status),
    code: filledText(reason) ?? (typeof code === 'number' ? null : filledText(code)),
    param: filledText(objectOf(violation)['field']),
    ...(isOfKey(reason, text) ? { status: 401 } : {}),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  }
}

/** It is told as 400, as though the request itself were wrong. */
function isOfKey(reason: unknown, message: string): boolean {
  return reason === 'API_KEY_INVALID' || /^API key (?:not valid|expired)/.test(message)
}

function detailOf(details: unknown, type: string): JsonObject {
  const found = listOf(details).find((one) => String(objectOf(one)['@type']).endsWith(`google.rpc.${type}`))
  return objectOf(found)
}

function millisecondsOf(duration: unknown): number | null {
  const seconds = typeof duration === 'string' ? DURATION.exec(duration)?.[1] : undefined
  return seconds === undefined ? null : Math.min(Math.ceil(Number(seconds) * 1_000), MOST_RETRY_MS)
}

/** @param body as a wire's readError has it */
export function refusalOf(body: unknown): ProviderError {
  const text = typeof body === 'string' ? body.replace(/\s+/g, ' ').trim() : ''
  return readError(body) ?? { message: text || 'unknown error', type: null, code: null, param: null }
}
