/** OpenAI's Responses API, as providers are asked by it. */
import type { ProviderError } from '../../canonical/answer.ts'
import type { Wire } from '../../canonical/wire.ts'
import { readResponse } from './answer-read.ts'
import { readResponseError } from './errors.ts'
import { encodeResponses } from './request-write.ts'
import { ResponsesStreamReader } from './stream-read.ts'

export const responsesWire: Wire = {
  pathOf: () => '/responses',
  encode: encodeResponses,
  read: readResponse,
  reader: () => new ResponsesStreamReader(),
  readError: (_status, body): ProviderError => readResponseError(body),
}
