/** Answers that all proxies share. */
import type { PurgeScope } from '@millrace/shared'

import { RedisError, type Redis } from '../redis/redis.ts'
import type { StoredAnswer } from './answer.ts'
import { MOST_PACKED_BYTES, unpack } from './packed.ts'
import { answerKey } from './redis-layout.ts'
import { RedisPurges } from './redis-purges.ts'
import { RedisWriter } from './redis-writer.ts'
import type { AnswerScope, SharedLook, SharedStore } from './store.ts'

export class RedisAnswers implements SharedStore {
  readonly #redis: Redis
  readonly #purges: RedisPurges
  readonly #writer: RedisWriter
  #unreadable = 0

  /** @param redis its deadline is how long a request waits for it */
  constructor(redis: Redis) {
    this.#redis = redis
    this.#purges = new RedisPurges(redis)
    this.#writer = new RedisWriter(redis)
  }

  get ready(): boolean {
    return this.#redis.ready
  }

  get unreadable(): number {
    return this.#unreadable
  }

  get skipped(): number {
    return this.#writer.skipped
  }

  async look(key: string, scope: AnswerScope): Promise<SharedLook | null> {
    // In this order: what was purged in between is then known to be.
    const reading = this.#read(answerKey(scope, key))
    const marking = this.mark(scope)
    const value = await reading
    const mark = await marking
    if (mark === null) return null
    return { answer: value === null ? null : await this.#answerIn(value, key, scope, mark), mark }
  }

  async mark(scope: AnswerScope): Promise<string | null> {
    try {
      return await this.#purges.mark(scope)
    } catch (error) {
      this.#refused(error)
      return null
    }
  }

  set(key: string, answer: StoredAnswer, mark: string): void {
    this.#writer.write(answerKey(answer, key), key, answer, mark)
  }

  async purge(scope: PurgeScope, instructionId: string): Promise<number> {
    return this.#purges.purge(scope, instructionId)
  }

  /** Never more than a value may be long: it may be anybody's. @returns null: there is none */
  async #read(key: string): Promise<Buffer | null> {
    try {
      const reply = (await this.#redis.commandInBytes(['GETRANGE', key, '0', String(MOST_PACKED_BYTES)])) as Buffer
      return reply.length === 0 ? null : reply
    } catch (error) {
      this.#refused(error)
      return null
    }
  }

  async #answerIn(value: Buffer, key: string, scope: AnswerScope, mark: string): Promise<StoredAnswer | null> {
    const unpacked = await unpack(key, value)
    if (unpacked === null || unpacked.answer.projectId !== scope.projectId || unpacked.answer.model !== scope.model) {
      this.#unreadable++
      return null
    }
    const isCurrent = unpacked.mark === mark && unpacked.answer.expiresAt > Date.now()
    return isCurrent ? unpacked.answer : null
  }

  /** Redis is there, and the key holds something of another type. */
  #refused(error: unknown): void {
    if (!(error instanceof RedisError) && (error as Error).message.startsWith('WRONGTYPE')) this.#unreadable++
  }
}
