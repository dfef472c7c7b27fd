/** Embeddings by InvokeModel: each maker's models in words of their own (Bedrock's guide "Embeddings"). */
import { NO_USAGE, type TokenUsage } from '@millrace/shared'

import type { EmbeddingAnswer } from '../../canonical/answer.ts'
import { unsayable } from '../../canonical/problem.ts'
import type { EmbeddingRequest } from '../../canonical/request.ts'
import { isVector, listOf, numberOf, objectOf, type JsonObject } from '../../canonical/values.ts'
import type { AnswerHeaders, Wire } from '../../canonical/wire.ts'
import { neverStreamed } from './count.ts'
import { readError } from './errors.ts'
import { pathOf } from './models.ts'

export const bedrockEmbeddingWire: Wire = {
  pathOf: (model) => pathOf(model, 'invoke'),
  encode(asked, { model }) {
    const request = asked as EmbeddingRequest
    const texts = textsOf(request)
    const dropped = [...request.unknown]
    const body = bodyOf(request, model.toLowerCase(), texts, dropped)
    if (request.user !== null) dropped.push(request.named['user'] ?? 'user')
    return { body: JSON.stringify(body), dropped: [...new Set(dropped)], answerTool: null, memo: texts.length }
  },
  read: (answer, { memo }, headers) => readVectors(objectOf(answer), memo as number, headers),
  reader: neverStreamed,
  readError,
}

/** @throws GatewayError unsupported_endpoint */
function textsOf({ input, named }: EmbeddingRequest): string[] {
  return input.map((one) => {
    if (typeof one === 'string') return one
    throw unsayable(named['input'] ?? 'input', 'Bedrock embeds text, and no lists of tokens.')
  })
}

function bodyOf(request: EmbeddingRequest, model: string, texts: readonly string[], dropped: string[]): JsonObject {
  const { dimensions } = request
  if (model.includes('cohere.embed')) {
    const sized = dimensions !== null && !model.includes('embed-english-v3') && !model.includes('embed-multilingual-v3')
    if (dimensions !== null && !sized) dropped.push(nameOf(request, 'dimensions'))
    return {
      texts,
      // OpenAI's API can't say what for.
      input_type: 'search_document',
      embedding_types: ['float'],
      ...(sized ? { output_dimension: dimensions } : {}),
    }
  }
  const text = onlyText(request, texts)
  if (model.includes('titan-embed-image')) {
    return {
      inputText: text,
      ...(dimensions === null ? {} : { embeddingConfig: { outputEmbeddingLength: dimensions } }),
    }
  }
  if (model.includes('titan-embed')) {
    const sized = dimensions !== null && !model.includes('titan-embed-text-v1')
    if (dimensions !== null && !sized) dropped.push(nameOf(request, 'dimensions'))
    return { inputText: text, ...(sized ? { dimensions } : {}) }
  }
  if (/nova-.*embeddings/.test(model)) return novaBody(text, dimensions)
  throw unsayable(
    'model',
    "Of Bedrock's models, only those of Titan, Nova and Cohere that embed can be asked for embeddings.",
  )
}

function novaBody(value: string, dimensions: number | null): JsonObject {
  return {
    taskType: 'SINGLE_EMBEDDING',
    singleEmbeddingParams: {
      embeddingPurpose: 'GENERIC_INDEX',
      ...(dimensions === null ? {} : { embeddingDimension: dimensions }),
      text: { truncationMode: 'NONE', value },
    },
  }
}

/** @throws GatewayError unsupported_endpoint where there are several */
function onlyText(request: EmbeddingRequest, texts: readonly string[]): string {
  if (texts.length === 1) return texts[0]!
  throw unsayable(nameOf(request, 'input'), 'This model embeds one text a request: send each by itself.')
}

function nameOf({ named }: EmbeddingRequest, name: string): string {
  return named[name] ?? name
}

/** @param count of the texts that were sent @returns null unless there is a vector of each */
function readVectors(
  { embedding, embeddings, inputTextTokenCount, inputTokenCount }: JsonObject,
  count: number,
  headers: AnswerHeaders = {},
): EmbeddingAnswer | null {
  const lists = embedding === undefined ? listOf(objectOf(embeddings)['float'] ?? embeddings) : [embedding]
  const vectors = lists.map((one) => (Array.isArray(one) ? one : objectOf(one)['embedding']))
  if (vectors.length !== count || !vectors.every(isVector)) return null
  const tokens = numberOf(inputTextTokenCount) ?? numberOf(inputTokenCount) ?? countIn(headers[TOKENS_HEADER])
  return { kind: 'embeddings', vectors, usage: usageOf(tokens) }
}

/** Where Bedrock tells the tokens of models that don't, such as Cohere's. */
const TOKENS_HEADER = 'x-amzn-bedrock-input-token-count'

function countIn(header: AnswerHeaders[string]): number | null {
  return typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : null
}

function usageOf(inputTokens: number | null): TokenUsage | null {
  return inputTokens === null ? null : { ...NO_USAGE, inputTokens, source: 'PROVIDER' }
}
