/** `POST /v1/responses`: OpenAI's API reference, "Create a model response". */
import { chatUser, responsesConversation, responsesFeatures } from '@millrace/shared'

import { parseExact } from '../canonical/exact-json.ts'
import { unlessTooDeep } from '../canonical/problem.ts'
import type { CanonicalRequest } from '../canonical/request.ts'
import { mayHoldSealed } from '../canonical/signature.ts'
import type { JsonObject } from '../canonical/values.ts'
import { responsesWriter } from '../dialects/responses/answer-write.ts'
import { readResponseAnswer } from '../dialects/responses/answer.ts'
import { responseCallsTools } from '../dialects/responses/calls.ts'
import { responsesErrors } from '../dialects/responses/errors.ts'
import { foldResponsesStream } from '../dialects/responses/fold.ts'
import { withoutForeignThoughts } from '../dialects/responses/native-body.ts'
import { reportsResponseError } from '../dialects/responses/reported-error.ts'
import { readResponsesRequest } from '../dialects/responses/request-read.ts'
import { ResponsesStream } from '../dialects/responses/stream.ts'
import { unfoldResponse } from '../dialects/responses/unfold.ts'
import { findMembers, utf8FromLatin1, type Edit } from '../stream/json.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { Endpoint, Features } from './endpoint.ts'
import { addForeignEdits } from './foreign.ts'
import { isCount, JsonCall, parseBody } from './json-call.ts'
import { KnownCalls } from './known-calls.ts'

export const responses: Endpoint = {
  path: '/v1/responses',
  task: 'chat',
  usesTokens: true,
  // Answers repeat `user` and `metadata`: nobody's are for others.
  unkeyed: new Set(['stream', 'stream_options']),
  errors: responsesErrors,
  writer: responsesWriter,
  lastEvent:
    /^(?:event: ?response\.(?:completed|incomplete)[\r\n]|data: ?\{"type": ?"response\.(?:completed|incomplete)")/,
  parse: (body) => known.find(body) ?? new ResponsesCall(body),
  forget: () => known.clear(),
  fold: foldResponsesStream,
  unfold: unfoldResponse,
  callsTools: responseCallsTools,
  reportsError: reportsResponseError,
}

const SCHEMAS = new Set(['tools', 'text'])

const known = new KnownCalls<ResponsesCall>()

class ResponsesCall extends JsonCall {
  readonly includesUsage = true
  readonly maxOutputTokens: number | null
  readonly keepsState: boolean
  readonly user: string | null
  readonly conversation: string | null

  constructor(body: Buffer) {
    const text = body.toString('latin1')
    const request = parseBody(body, text)
    super(body, text, request)
    const { max_output_tokens: most, store, background, conversation } = request
    this.maxOutputTokens = isCount(most) ? most : null
    // Unless it is told not to, the provider keeps the response.
    this.keepsState = store !== false || background === true || conversation != null
    this.user = chatUser(request)
    this.conversation = responsesConversation(request)
  }

  observe(): StreamObserver {
    return new ResponsesStream(this.modelLiteral)
  }

  read(answer: string): ReadAnswer | InBandError | null {
    return readResponseAnswer(answer, this.modelLiteral)
  }

  protected featuresOf(request: JsonObject): Features {
    return responsesFeatures(request)
  }

  protected canonicalOf(request: JsonObject): CanonicalRequest {
    return unlessTooDeep('input', () => readResponsesRequest({ ...request, ...this.schemas() }))
  }

  protected override addEdits(edits: Edit[]): void {
    if (mayHoldSealed(this.text)) addForeignEdits(edits, this.text, 'input', withoutForeignThoughts)
  }

  protected keep(): boolean {
    return known.add(this)
  }

  /** The members that have JSON Schemas in them, whose numbers are to leave as they came. */
  private schemas(): JsonObject {
    const schemas: Record<string, unknown> = {}
    for (const [name, ranges] of findMembers(this.text, SCHEMAS) ?? []) {
      const { start, end } = ranges.at(-1)!
      schemas[name] = parseExact(utf8FromLatin1(this.text.slice(start, end)))
    }
    return schemas
  }
}
