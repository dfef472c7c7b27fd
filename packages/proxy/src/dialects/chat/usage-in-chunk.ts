import type { TokenUsage } from '@millrace/shared'

import { listOf, objectOf, type JsonObject } from '../../canonical/values.ts'
import { readChatUsage } from './usage.ts'

/** Wherever in a chunk it stands: Groq tells it in `x_groq`, Moonshot in the choice. Null: nowhere. */
export function usageInChunk(chunk: JsonObject): TokenUsage | null {
  return (
    readChatUsage(chunk['usage']) ??
    readChatUsage(objectOf(chunk['x_groq'])['usage']) ??
    readChatUsage(objectOf(listOf(chunk['choices'])[0])['usage'])
  )
}
