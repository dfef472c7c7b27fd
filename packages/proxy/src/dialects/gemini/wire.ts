/** Gemini's `generateContent`, `streamGenerateContent`, `countTokens` and `batchEmbedContents` (its API reference). */
import { unsayable } from '../../canonical/problem.ts'
import type { CanonicalRequest, ChatRequest, EmbeddingRequest } from '../../canonical/request.ts'
import { numberOf, objectOf } from '../../canonical/values.ts'
import type { Encoded, EncodeOptions, StreamReader, Wire } from '../../canonical/wire.ts'
import { parseAnswer, readAnswer } from './answer-read.ts'
import { readEmbeddings, writeEmbeddings } from './embeddings.ts'
import { readError, refusalOf } from './errors.ts'
import { pathOf, resourceOf } from './model.ts'
import { encodeRequest, writeRequest, type Memo } from './request-write.ts'
import { GeminiStreamReader } from './stream-read.ts'

export const generateWire: Wire = {
  pathOf: (model, stream) => pathOf(model, stream ? ':streamGenerateContent?alt=sse' : ':generateContent'),
  encode: (request, { model }) => encodeRequest(chatOf(request), model),
  parse: parseAnswer,
  read: (answer, { memo }) => readAnswer(answer, memo as Memo),
  reader: ({ memo }) => new GeminiStreamReader(memo as Memo),
  readError: (_, body) => refusalOf(body),
}

export const countWire: Wire = {
  pathOf: (model) => pathOf(model, ':countTokens'),
  encode: encodeCount,
  read: readCount,
  reader: noStream,
  readError: (_, body) => refusalOf(body),
}

export const embedWire: Wire = {
  pathOf: (model) => pathOf(model, ':batchEmbedContents'),
  encode: (request, { model }) => writeEmbeddings(embeddingsOf(request), model),
  read: (answer, { memo }) => readEmbeddings(answer, memo as number),
  reader: noStream,
  readError: (_, body) => refusalOf(body),
}

function encodeCount(request: CanonicalRequest, { model }: EncodeOptions): Encoded {
  const { body } = writeRequest(chatOf(request), model)
  const { generationConfig: _, serviceTier: __, ...counted } = body
  const generateContentRequest = { model: resourceOf(model), ...counted }
  return { body: JSON.stringify({ generateContentRequest }), dropped: [], answerTool: null, memo: null }
}

function readCount(answer: unknown): ReturnType<Wire['read']> {
  const error = readError(answer)
  if (error !== null) return { kind: 'error', error }
  const { totalTokens } = objectOf(answer)
  const inputTokens = numberOf(totalTokens)
  return inputTokens === null ? null : { kind: 'count', inputTokens }
}

function noStream(): StreamReader {
  throw new Error('it is never streamed')
}

function chatOf(request: CanonicalRequest): ChatRequest {
  if (request.kind !== 'chat') throw unsayable('model', 'Gemini generates from conversations only.')
  return request
}

function embeddingsOf(request: CanonicalRequest): EmbeddingRequest {
  if (request.kind !== 'embeddings') throw unsayable('model', 'Gemini embeds texts only.')
  return request
}
