/** Embeddings as OpenAI gives them: `CreateEmbeddingResponse`. */
import { estimateTokens } from '@millrace/shared'

import type { CanonicalAnswer } from '../../canonical/answer.ts'
import type { CanonicalRequest } from '../../canonical/request.ts'
import type { AnswerWriter, Saying } from '../../canonical/writer.ts'

export const embeddingsWriter: AnswerWriter = {
  answer: writeAnswer,
  stream: () => {
    throw new Error('embeddings are never streamed')
  },
}

function writeAnswer(answer: CanonicalAnswer, { model, request }: Saying): string {
  if (answer.kind !== 'embeddings') throw new Error('no embeddings')
  const isBase64 = request.kind === 'embeddings' && request.encoding === 'base64'
  const data = answer.vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: isBase64 ? base64Of(vector) : vector,
  }))
  const tokens = answer.usage?.inputTokens ?? estimatedTokens(request)
  return JSON.stringify({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

/** Floats of 32 bits, the lowest byte first. */
export function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i]!, i * 4)
  return bytes.toString('base64')
}

/** The API always tells them, the provider may not. */
function estimatedTokens(request: CanonicalRequest): number {
  if (request.kind !== 'embeddings') return 0
  let tokens = 0
  for (const one of request.input) tokens += typeof one === 'string' ? estimateTokens(one.length) : one.length
  return tokens
}
