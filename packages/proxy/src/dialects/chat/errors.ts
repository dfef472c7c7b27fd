/** Errors in OpenAI's shape (its API reference, "Errors"), as an answer and as an event of a stream. */
import type { ErrorForm, ToldError } from '../../canonical/writer.ts'

export const openAiErrors: ErrorForm = {
  requestIdHeader: null,
  body: openAiError,
  event: (error) => `data: ${openAiError(error)}\n\n`,
}

function openAiError({ message, type, param, code, providerType }: ToldError): string {
  const more = providerType == null || providerType === type ? {} : { provider_type: providerType }
  return JSON.stringify({ error: { message, type, param, code, ...more } })
}
