/** Errors in OpenAI's shape, and as the event by which a streamed response fails (its API reference, "error"). */
import type { ProviderError } from '../../canonical/answer.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import type { ErrorForm, ToldError } from '../../canonical/writer.ts'
import { sequenceOf, stringOf } from './values.ts'

export const responsesErrors: ErrorForm = {
  requestIdHeader: null,
  body: (error) => JSON.stringify({ error: errorOf(error) }),
  // OpenAI's SDKs look for the object; its reference has the members beside it.
  event: (error, _, sequence) => {
    const { message, param, code } = error
    const data = { type: 'error', sequence_number: sequence, code, message, param, error: errorOf(error) }
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`
  },
  sequenceOf,
}

function errorOf({ message, type, param, code, providerType }: ToldError): JsonObject {
  const more = providerType == null || providerType === type ? {} : { provider_type: providerType }
  return { message, type, param, code, ...more }
}

/** Reads the error of a refusal, of a response that has failed, or of an event; all of OpenAI's shapes. */
export function readResponseError(error: unknown): ProviderError {
  if (!isObject(error)) return { message: stringOf(error) || 'unknown error', type: null, code: null, param: null }
  const { error: nested } = error
  return nested == null ? readOne(error) : isObject(nested) ? readOne(nested) : readResponseError(nested)
}

function readOne(error: JsonObject): ProviderError {
  const { message, code, param } = error
  // The event's own type is no more than that it is an error.
  const type = error['type'] === 'error' ? null : stringOf(error['type'])
  return {
    message: stringOf(message) ?? stringOf(error['detail']) ?? 'unknown error',
    type,
    code: typeof code === 'number' ? String(code) : stringOf(code),
    param: stringOf(param),
  }
}
