import type { StreamPart } from '../../canonical/answer.ts'
import type { Encoding } from '../../canonical/wire.ts'
import { generateWire } from './wire.ts'

/** A request that readers need to know nothing of. */
export const encoding: Encoding = { dropped: [], answerTool: null, memo: { customs: [], names: new Map() } }

/** What comes of events, without the ids of calls. */
export function streamed(...events: readonly unknown[]): StreamPart[] {
  const reader = generateWire.reader(encoding)
  const parts = events.flatMap((event) => reader.take(typeof event === 'string' ? event : JSON.stringify(event), ''))
  return [...parts, ...reader.close()].map((part) => (part.type === 'tool_call' ? { ...part, id: '' } : part))
}
