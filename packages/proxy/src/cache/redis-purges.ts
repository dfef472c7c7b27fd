/** Purges in Redis: who reads knows of them at once, and what they mean is deleted as time allows. */
import { setTimeout as delay } from 'node:timers/promises'

import { newId, type PurgeScope } from '@millrace/shared'

import type { Redis } from '../redis/redis.ts'
import { luaScript } from '../redis/script.ts'
import { answerKeys, COUNT, doneKey, LIFE, meaningFields, PURGED, scopeField } from './redis-layout.ts'
import type { AnswerScope } from './store.ts'

/** Nobody's request waits for a purge. */
const PURGE_DEADLINE_MS = 1_000
const STEP_DEADLINE_MS = 5_000
/** Whoever has asked for a purge waits for so much of its count. */
const COUNT_FOR_MS = 1_500
const KEYS_A_STEP = '1000'
/** Instructions come again for an hour. */
const DONE_FOR_SECONDS = '7200'
/** It is told again what it was told in this time: less, since it must know then that it has done it. */
const TOLD_AGAIN_MS = 7_000_000
const MOST_TOLD = 500
/** Scopes that are told apart; beyond, all are purged. */
const MOST_FIELDS = '10000'

/**
 * KEYS: purged, done. ARGV: field, a life for purged should it have none, how long it stays done, the most fields.
 * Memory that is used up must not keep a purge from being carried out.
 */
const PURGE = luaScript(`#!lua flags=allow-oom
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  redis.call('DEL', KEYS[1])
end
redis.call('HSETNX', KEYS[1], '${LIFE}', ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], redis.call('HINCRBY', KEYS[1], '${COUNT}', 1))
redis.call('SET', KEYS[2], '', 'EX', ARGV[3])
return 1
`)

interface Told {
  readonly scope: PurgeScope
  /** By `performance.now()`. */
  readonly at: number
}

export class RedisPurges {
  readonly #redis: Redis
  /** What it has done, by the instruction: it may come back as it was before. */
  readonly #told = new Map<string, Told>()
  /** The connection by which it knows of that. */
  #toldBy = 0
  #tellingAgain: Promise<void> | null = null
  /** Deletions go one after the other. */
  #deleting: Promise<unknown> = Promise.resolve()

  constructor(redis: Redis) {
    this.#redis = redis
  }

  /**
   * How purges stand that mean answers of this scope. Any two are the same only if there was none between.
   * @throws Error if Redis does not say
   */
  async mark(scope: AnswerScope): Promise<string> {
    const fields = meaningFields(scope)
    const began = performance.now()
    if (this.#toldBy !== this.#redis.connections) await (this.#tellingAgain ??= this.#tellAgain())
    const last = await this.#read(fields, this.#leftMs(began))
    if (last[0] !== null) return last.join(' ')
    const leftMs = this.#leftMs(began)
    const begun = this.#redis.command(['HSETNX', PURGED, LIFE, newId()], leftMs)
    const [since] = await Promise.all([this.#read(fields, leftMs), begun])
    if (since[0] === null) throw new Error('what was purged is not kept')
    return since.join(' ')
  }

  /**
   * @returns how many answers this call has deleted so far; others may go on being deleted
   * @throws Error if it is not certain to have been done
   */
  async purge(scope: PurgeScope, instructionId: string): Promise<number> {
    const deletion = await this.#tell(scope, instructionId, PURGE_DEADLINE_MS)
    this.#told.delete(instructionId)
    this.#told.set(instructionId, { scope, at: performance.now() })
    if (this.#told.size > MOST_TOLD) this.#told.delete(this.#told.keys().next().value!)
    if (deletion === null) return 0
    const deleted = this.#deleting
    const patience = new AbortController()
    await Promise.race([deleted, delay(COUNT_FOR_MS, null, { signal: patience.signal, ref: false }).catch(() => null)])
    patience.abort()
    return deletion.deleted
  }

  /** @returns what deletes the answers, in its turn; null: this was done before */
  async #tell(scope: PurgeScope, instructionId: string, deadlineMs: number): Promise<Deletion | null> {
    const args = [scopeField(scope), newId(), DONE_FOR_SECONDS, MOST_FIELDS]
    if ((await this.#redis.run(PURGE, [PURGED, doneKey(instructionId)], args, deadlineMs)) !== 1) return null
    const deletion = new Deletion(this.#redis, answerKeys(scope))
    this.#deleting = this.#deleting.then(() => deletion.run())
    return deletion
  }

  /** Tells another connection what was purged: it may lead to a replica that was behind, or to what a disk has kept. */
  async #tellAgain(): Promise<void> {
    const { connections, deadlineMs } = this.#redis
    const since = performance.now() - TOLD_AGAIN_MS
    try {
      for (const [id, { at }] of this.#told) if (at < since) this.#told.delete(id)
      await Promise.all(Array.from(this.#told, ([id, { scope }]) => this.#tell(scope, id, deadlineMs)))
      this.#toldBy = connections
    } finally {
      this.#tellingAgain = null
    }
  }

  #leftMs(began: number): number {
    return Math.max(1, this.#redis.deadlineMs - (performance.now() - began))
  }

  async #read(fields: readonly string[], deadlineMs: number): Promise<(string | null)[]> {
    return (await this.#redis.command(['HMGET', PURGED, ...fields], deadlineMs)) as (string | null)[]
  }
}

/** Of what cannot be reached any more: if it fails, time does the rest. */
class Deletion {
  deleted = 0
  readonly #redis: Redis
  readonly #keys: string

  constructor(redis: Redis, keys: string) {
    this.#redis = redis
    this.#keys = keys
  }

  /** Never fails. */
  async run(): Promise<void> {
    let cursor = '0'
    try {
      do {
        const step = ['SCAN', cursor, 'MATCH', this.#keys, 'COUNT', KEYS_A_STEP]
        const [next, keys] = (await this.#redis.command(step, STEP_DEADLINE_MS)) as [string, string[]]
        if (keys.length > 0)
          this.deleted += (await this.#redis.command(['UNLINK', ...keys], STEP_DEADLINE_MS)) as number
        cursor = next
      } while (cursor !== '0')
    } catch {
      // It is gone, or going.
    }
  }
}
