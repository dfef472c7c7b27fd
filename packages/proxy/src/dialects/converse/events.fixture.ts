/** Events of ConverseStream, and what is read of them. */
import type { StreamPart } from '../../canonical/answer.ts'
import { ConverseReader } from './stream-read.ts'

export const MEMO = { names: null, customs: [], stop: null }
export const START = { type: 'start', id: '', created: null, usage: null, serviceTier: null, systemFingerprint: null }
const USAGE = {
  inputTokens: 33,
  outputTokens: 4,
  cachedInputTokens: 20,
  cacheWriteTokens: 3,
  reasoningTokens: 0,
  inputAudioTokens: 0,
  outputAudioTokens: 0,
  source: 'PROVIDER',
}
const METADATA = { usage: { inputTokens: 10, outputTokens: 4, cacheReadInputTokens: 20, cacheWriteInputTokens: 3 } }

export type Event = readonly [name: string, body: unknown]

export function read(
  events: readonly Event[],
  memo: ConstructorParameters<typeof ConverseReader>[0] = MEMO,
): StreamPart[] {
  const reader = new ConverseReader(memo)
  const parts = events.flatMap(([name, body]) =>
    reader.take(typeof body === 'string' ? body : JSON.stringify(body), name),
  )
  return [...parts, ...reader.close()]
}

export const delta = (contentBlockIndex: number, told: object): Event => [
  'contentBlockDelta',
  { contentBlockIndex, delta: told },
]
export const begin = (contentBlockIndex: number, start: object): Event => [
  'contentBlockStart',
  { contentBlockIndex, start },
]
export const end = (contentBlockIndex: number): Event => ['contentBlockStop', { contentBlockIndex }]
export const stop = (stopReason: string, more = {}): Event => ['messageStop', { stopReason, ...more }]
export const MESSAGE: Event = ['messageStart', { role: 'assistant' }]
export const TOLD: Event = ['metadata', METADATA]
export const finish = (reason: string, own: string, stopSequence: string | null = null) => ({
  type: 'finish',
  choice: 0,
  finish: { reason, own, stopSequence },
})
export const in0 = (block: number, part: object) => ({ choice: 0, block, ...part })
export const DONE = [{ type: 'usage', usage: USAGE }, { type: 'done' }]
