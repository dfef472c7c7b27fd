/** Amazon Bedrock's Converse API, as canonical requests are put to it. */
import { parseExact } from '../../canonical/exact-json.ts'
import type { ChatRequest } from '../../canonical/request.ts'
import type { Wire } from '../../canonical/wire.ts'
import { readAnswer } from './answer-read.ts'
import { readError } from './errors.ts'
import { pathOf } from './models.ts'
import { encodeRequest, type Memo } from './request-write.ts'
import { ConverseReader } from './stream-read.ts'

export const converseWire: Wire = {
  pathOf: (model, stream) => pathOf(model, stream ? 'converse-stream' : 'converse'),
  encode: (request, { model }) => encodeRequest(request as ChatRequest, model),
  parse: parseExact,
  read: (answer, { memo }) => readAnswer(answer, memo as Memo),
  reader: ({ memo }) => new ConverseReader(memo as Memo),
  readError,
}
