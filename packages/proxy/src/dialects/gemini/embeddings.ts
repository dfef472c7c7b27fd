/** `batchEmbedContents` (Gemini's API reference, "Embeddings"): one text as well as many. */
import type { EmbeddingAnswer } from '../../canonical/answer.ts'
import { unsayable } from '../../canonical/problem.ts'
import type { EmbeddingRequest } from '../../canonical/request.ts'
import { isObject, isVector, listOf, objectOf } from '../../canonical/values.ts'
import type { Encoded, ProviderErrorAnswer } from '../../canonical/wire.ts'
import { readError } from './errors.ts'
import { resourceOf } from './model.ts'
import { readUsage } from './usage.ts'

/** Gemini refuses more: "at most 100 requests can be in one batch". */
const MOST_TEXTS = 100

/** @throws GatewayError unsupported_endpoint for tokens in place of texts, and for too many */
export function writeEmbeddings({ input, dimensions, user, named, unknown }: EmbeddingRequest, model: string): Encoded {
  const place = named['input'] ?? 'input'
  if (input.length > MOST_TEXTS)
    throw unsayable(place, `Gemini embeds at most ${MOST_TEXTS} texts at once: there are ${input.length}.`)
  const resource = resourceOf(model)
  const more = dimensions === null ? {} : { outputDimensionality: dimensions }
  const requests = input.map((text) => {
    if (typeof text !== 'string') {
      throw unsayable(place, 'Gemini embeds texts only: it does not know the tokens of other models.')
    }
    return { model: resource, content: { parts: [{ text }] }, ...more }
  })
  const dropped = [...new Set([...unknown, ...(user === null ? [] : [named['user'] ?? 'user'])])]
  return { body: JSON.stringify({ requests }), dropped, answerTool: null, memo: input.length }
}

/** @param count of the texts that were sent @returns null if it is no answer of this API, or not to as many texts */
export function readEmbeddings(answer: unknown, count: number): EmbeddingAnswer | ProviderErrorAnswer | null {
  const error = readError(answer)
  if (error !== null) return { kind: 'error', error }
  if (!isObject(answer)) return null
  const vectors = listOf(answer['embeddings']).map((embedding) => objectOf(embedding)['values'])
  if (vectors.length !== count || !vectors.every(isVector)) return null
  return { kind: 'embeddings', vectors, usage: readUsage(answer['usageMetadata']) }
}
