/** `POST /v1/embeddings`: OpenAI's API reference, "Create embeddings". */
import type { CanonicalRequest } from '../canonical/request.ts'
import type { JsonObject } from '../canonical/values.ts'
import { openAiErrors } from '../dialects/chat/errors.ts'
import { embeddingsWriter } from '../dialects/embeddings/answer-write.ts'
import { readEmbeddingAnswer } from '../dialects/embeddings/answer.ts'
import { readEmbeddingRequest } from '../dialects/embeddings/request-read.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { Endpoint, Features } from './endpoint.ts'
import { JsonCall, parseBody } from './json-call.ts'
import { KnownCalls } from './known-calls.ts'

export const embeddings: Endpoint = {
  path: '/v1/embeddings',
  task: 'embeddings',
  usesTokens: true,
  unkeyed: new Set(['user']),
  errors: openAiErrors,
  writer: embeddingsWriter,
  parse: (body) => known.find(body) ?? new EmbeddingsCall(body),
  forget: () => known.clear(),
  fold: () => null,
  unfold: () => null,
  callsTools: () => false,
  reportsError: () => false,
}

const known = new KnownCalls<EmbeddingsCall>()
const FEATURES: Features = { maxTokens: null, tools: false, images: false }

class EmbeddingsCall extends JsonCall {
  /** The API has no streams, whatever a client asks for. */
  override readonly stream = false
  readonly includesUsage = true
  readonly maxOutputTokens = 0
  readonly keepsState = false
  readonly conversation = null
  readonly user: string | null

  constructor(body: Buffer) {
    const text = body.toString('latin1')
    const request = parseBody(body, text)
    super(body, text, request)
    const { user } = request
    this.user = typeof user === 'string' && user !== '' ? user : null
  }

  observe(): StreamObserver {
    throw new Error('embeddings are never streamed')
  }

  read(answer: string): ReadAnswer | InBandError | null {
    return readEmbeddingAnswer(answer, this.modelLiteral)
  }

  protected featuresOf(): Features {
    return FEATURES
  }

  protected canonicalOf(request: JsonObject): CanonicalRequest {
    return readEmbeddingRequest(request)
  }

  protected keep(): boolean {
    return known.add(this)
  }
}
