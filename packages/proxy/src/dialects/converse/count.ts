/** How many tokens a conversation has: Bedrock's CountTokens, which takes it as Converse does. */
import type { ChatRequest } from '../../canonical/request.ts'
import { numberOf, objectOf } from '../../canonical/values.ts'
import type { StreamReader, Wire } from '../../canonical/wire.ts'
import { readError } from './errors.ts'
import { pathOf } from './models.ts'
import { writeRequest } from './request-write.ts'

/** What a profile of several regions, or its ARN, has before the model's own id, which alone is known here. */
const REGIONS = /^(?:arn:[^/]*:inference-profile\/)?(?:[a-z]{2,6}|us-gov)\.(?=[a-z0-9]+\.)/

/** What CountTokens takes of a conversation. */
const COUNTED = ['messages', 'system', 'toolConfig', 'additionalModelRequestFields']

export const converseCountWire: Wire = {
  pathOf: (model) => pathOf(model.replace(REGIONS, ''), 'count-tokens'),
  encode(request, { model }) {
    const { body } = writeRequest(request as ChatRequest, model)
    const converse = Object.fromEntries(COUNTED.filter((name) => name in body).map((name) => [name, body[name]]))
    return { body: JSON.stringify({ input: { converse } }), dropped: [], answerTool: null, memo: null }
  },
  read(answer) {
    const inputTokens = numberOf(objectOf(answer)['inputTokens'])
    return inputTokens === null ? null : { kind: 'count', inputTokens }
  },
  reader: neverStreamed,
  readError,
}

/** For operations that have no streams. */
export function neverStreamed(): StreamReader {
  throw new Error('this is never asked for as a stream')
}
