/** Answers in this process. */
import type { PurgeScope } from '@millrace/shared'

import { isPurged, type StoredAnswer } from './answer.ts'
import { ENTRY_BYTES, MemoryTier, STRING_BYTES, type MemoryRoom } from './memory-tier.ts'
import type { MemoryStore } from './store.ts'

const NUMBER_BYTES = 8

export class MemoryAnswers implements MemoryStore {
  readonly #room: MemoryRoom
  readonly #tier: MemoryTier<StoredAnswer>

  /** @param room what is in it of other kinds is purged with the answers */
  constructor(room: MemoryRoom) {
    this.#room = room
    this.#tier = new MemoryTier(room, '', sizeOf)
  }

  get entries(): number {
    return this.#room.entries
  }

  get bytes(): number {
    return this.#room.bytes
  }

  get(key: string): StoredAnswer | null {
    return this.#tier.get(key)
  }

  set(key: string, answer: StoredAnswer): boolean {
    return this.#tier.set(key, answer)
  }

  async purge(scope: PurgeScope): Promise<number> {
    return this.#room.purge((kept) => isPurged(scope, kept))
  }
}

/** What an answer takes of memory, in bytes. */
export function sizeOf({
  headers,
  body,
  stream,
  providerId,
  providerName,
  providerModel,
  projectId,
  model,
}: StoredAnswer): number {
  let bytes = ENTRY_BYTES + body.length
  bytes += providerId.length + providerName.length + providerModel.length + projectId.length + model.length
  for (const text of headers) bytes += text.length + STRING_BYTES
  if (stream !== null) bytes += (stream.ends.length + stream.at.length) * NUMBER_BYTES
  return bytes
}
