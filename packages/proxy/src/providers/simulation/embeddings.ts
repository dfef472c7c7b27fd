/** What a simulated model embeds: vectors that are the same for the same text each time, in OpenAI's shape. */
import { hash } from 'node:crypto'

import { estimateTokens } from '@millrace/shared'

import { wrong } from '../../canonical/problem.ts'
import { base64Of } from '../../dialects/embeddings/answer-write.ts'
import { readEmbeddingRequest } from '../../dialects/embeddings/request-read.ts'

/** As many as OpenAI's small model has, and the most that are simulated. */
const DIMENSIONS = 1_536
const MOST_DIMENSIONS = 8_192
/** Of one answer, all vectors together: more would hold up everything else. */
const MOST_NUMBERS = 500_000

export interface SimulatedInput {
  /** Texts, or lists of tokens as text. */
  readonly texts: readonly string[]
  readonly dimensions: number
  readonly base64: boolean
}

/** @throws GatewayError param_not_allowed for what OpenAI would refuse, and for too much */
export function readInput(body: Readonly<Record<string, unknown>>): SimulatedInput {
  const { input, dimensions: wanted, encoding } = readEmbeddingRequest(body)
  const dimensions = Math.min(wanted ?? DIMENSIONS, MOST_DIMENSIONS)
  const most = Math.floor(MOST_NUMBERS / dimensions)
  if (input.length > most) throw wrong('input', `At most ${most} vectors of that length are simulated at once.`)
  const texts = input.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
  return { texts, dimensions, base64: encoding === 'base64' }
}

export function embeddingsAnswer(model: string, { texts, dimensions, base64 }: SimulatedInput): string {
  const data = texts.map((text, index) => {
    const vector = vectorOf(text, dimensions)
    return { object: 'embedding', index, embedding: base64 ? base64Of(vector) : vector }
  })
  const tokens = texts.reduce((sum, text) => sum + estimateTokens(text.length), 0)
  return JSON.stringify({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

/** Of length 1. What seems to be chance comes from the text alone. */
function vectorOf(text: string, dimensions: number): number[] {
  let state = hash('sha256', text, 'buffer').readUInt32LE(0) | 1
  const vector = Array.from({ length: dimensions }, () => {
    // Marsaglia's xorshift, of 32 bits.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state / 0x8000_0000
  })
  const length = Math.hypot(...vector)
  return vector.map((value) => Math.fround(value / length))
}
