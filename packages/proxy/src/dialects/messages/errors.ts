/** Errors in Anthropic's shape (its API reference, "Errors"), as an answer and as an event of a stream. */
import type { ErrorForm, ToldError } from '../../canonical/writer.ts'

export const messagesErrors: ErrorForm = {
  requestIdHeader: 'request-id',
  body: anthropicError,
  event: (error, requestId) => `event: error\ndata: ${anthropicError(error, requestId)}\n\n`,
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function anthropicError(error: ToldError, requestId: string): string {
  const type = TYPES[error.status] ?? (error.status >= 500 ? 'api_error' : 'invalid_request_error')
  const { providerType } = error
  const more = providerType == null || providerType === type ? {} : { provider_type: providerType }
  return JSON.stringify({ type: 'error', error: { type, message: messageOf(error), ...more }, request_id: requestId })
}

/** The shape has no place for what is at fault: it stands before the message, as Anthropic has it. */
function messageOf({ message, param }: ToldError): string {
  return param === null || message.includes(`"${param}"`) ? message : `${param}: ${message}`
}
