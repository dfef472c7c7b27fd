import type { Redis } from '../redis/redis.ts'
import type { StoredAnswer } from './answer.ts'
import { sizeOf } from './memory.ts'
import { pack } from './packed.ts'

/** Nobody's request waits for it. */
const WRITE_DEADLINE_MS = 5_000
/** Of memory: what waits to be written, and is being. Beyond, answers are not kept. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024
/** On its way at once, or one by itself: what requests ask for waits behind it. */
const MOST_SENT_BYTES = 256 * 1024

interface Waiting {
  readonly place: string
  readonly key: string
  readonly answer: StoredAnswer
  readonly mark: string
  readonly bytes: number
}

/** Writes answers to Redis in the background, as fast as it takes them. */
export class RedisWriter {
  /** Answers that are not written: too many waited, or Redis was away or has refused. */
  skipped = 0
  readonly #redis: Redis
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #sentBytes = 0

  constructor(redis: Redis) {
    this.#redis = redis
  }

  /** @param place the key in Redis */
  write(place: string, key: string, answer: StoredAnswer, mark: string): void {
    const bytes = sizeOf(answer)
    if (!this.#redis.ready || this.#waitingBytes + this.#sentBytes + bytes > MOST_WAITING_BYTES) {
      this.skipped++
      return
    }
    this.#waitingBytes += bytes
    this.#waiting.push({ place, key, answer, mark, bytes })
    this.#sendOn()
  }

  #sendOn(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined || (this.#sentBytes > 0 && this.#sentBytes + next.bytes > MOST_SENT_BYTES)) return
      this.#waiting.shift()
      this.#waitingBytes -= next.bytes
      this.#sentBytes += next.bytes
      void this.#send(next)
    }
  }

  async #send({ place, key, answer, mark, bytes }: Waiting): Promise<void> {
    try {
      const value = await pack(key, mark, answer)
      const ttlMs = Math.ceil(answer.expiresAt - Date.now())
      if (value === null) this.skipped++
      else if (ttlMs > 0) await this.#redis.command(['SET', place, value, 'PX', String(ttlMs)], WRITE_DEADLINE_MS)
    } catch {
      this.skipped++
    }
    this.#sentBytes -= bytes
    this.#sendOn()
  }
}
