import type { ProviderError } from '../canonical/answer.ts'
import type { ToldError } from '../canonical/writer.ts'

/** A provider's error in the words of the gateway's own, which every API's form can say. The provider's type stays beside. */
export function toldError(status: number, { message, type, code, param }: ProviderError): ToldError {
  return { status, message, type: typeOf(status), param, code: code ?? type, providerType: type }
}

/** OpenAI's types by their status (its guide "Error codes"). */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}
