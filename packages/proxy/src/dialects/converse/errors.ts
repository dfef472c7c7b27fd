/** Refusals and exceptions of AWS (Bedrock's API reference, "Common errors", and those of each operation). */
import type { ProviderError } from '../../canonical/answer.ts'
import { filledText, isObject, objectOf, type JsonObject } from '../../canonical/values.ts'
import type { AnswerHeaders } from '../../canonical/wire.ts'

/** Who asks is not known: with another key it may be. Some come as a 400. */
const NOT_KNOWN =
  /^(?:UnrecognizedClient|ExpiredToken|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|InvalidClientTokenId|AuthFailure)/
/** There is none for now, whatever the status. */
const TOO_MUCH = /^(?:Throttl|TooManyRequests|ServiceQuotaExceeded)/

export function readError(status: number, body: unknown, headers: AnswerHeaders = {}): ProviderError {
  const { message, Message, __type: own, code } = innerOf(objectOf(body))
  const type = nameIn(headers['x-amzn-errortype']) ?? nameIn(own) ?? nameIn(code)
  const said = filledText(message) ?? filledText(Message) ?? plainText(body) ?? type ?? 'unknown error'
  const meant = statusOf(status, type)
  return { message: said, type, code: null, param: null, ...(meant === status ? {} : { status: meant }) }
}

/** What AWS says of an operation that it has not is wrapped. */
function innerOf(body: JsonObject): JsonObject {
  return isObject(body['Output']) ? body['Output'] : body
}

/** An exception in a stream. @param name as the stream has it; empty: it has none */
export function readException(name: string, body: unknown): ProviderError {
  const { message, originalMessage, code } = objectOf(body)
  const said = filledText(message) ?? filledText(originalMessage) ?? 'unknown error'
  return { message: said, type: name === 'error' ? filledText(code) : filledText(name), code: null, param: null }
}

function statusOf(status: number, type: string | null): number {
  if (type !== null && NOT_KNOWN.test(type)) return 401
  if (type !== null && TOO_MUCH.test(type)) return 429
  // The model failed, not the request.
  return status === 424 ? 502 : status
}

/** `ThrottlingException:http://…` and `com.amazon.coral.service#ThrottlingException` are its name, and more. */
function nameIn(value: unknown): string | null {
  const text = filledText(Array.isArray(value) ? value[0] : value)
  return text === null ? null : filledText(text.split(':', 1)[0]!.replace(/^.*#/, ''))
}

function plainText(body: unknown): string | null {
  return typeof body === 'string' ? filledText(body.replace(/\s+/g, ' ').trim()) : null
}
