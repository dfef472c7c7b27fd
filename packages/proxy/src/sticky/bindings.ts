/** Sticky bindings as requests use them: Redis's while it is there, else those of this proxy. */
import type { Redis } from '../redis/redis.ts'
import { MemoryBindings } from './memory.ts'
import { RedisBindings } from './redis.ts'
import type { Binding, Binds, LocalBindings } from './store.ts'

export type { Binding } from './store.ts'

export type StickyBackend = 'memory' | 'redis'

export interface Bound extends Binds {
  /** Which store has answered. */
  readonly backend: StickyBackend
}

/**
 * What Redis answers is remembered here too, so that subjects stay where they are when it goes away.
 * Answers without a promise where Redis is not asked.
 */
export class StickyBindings {
  readonly #memory: LocalBindings
  readonly #redis: Redis | null
  readonly #shared: RedisBindings | null

  constructor(redis: Redis | null, local: LocalBindings = new MemoryBindings()) {
    this.#redis = redis
    this.#memory = local
    this.#shared = redis && new RedisBindings(redis)
  }

  /** As {@link StickyStore.bind}. Never fails. */
  bind(key: string, accept: readonly string[], proposed: string, ttlMs: number): Bound | Promise<Bound> {
    if (this.#redis?.ready === true) return this.#bindShared(this.#shared!, key, accept, proposed, ttlMs)
    return this.#bindHere(key, accept, proposed, ttlMs)
  }

  /** As {@link StickyStore.move}. Never fails. */
  move(key: string, from: string, to: string, ttlMs: number): Binding | null | Promise<Binding | null> {
    if (this.#redis?.ready === true) return this.#moveShared(this.#shared!, key, from, to, ttlMs)
    return this.#memory.move(key, from, to, ttlMs)
  }

  /**
   * As {@link StickyStore.clear}, in both stores.
   * @throws Error if one of them has not cleared its own
   */
  async clear(aliasId: string, key: string | null, ageMs: number): Promise<number> {
    const here = await this.#memory.clear(aliasId, key, ageMs)
    return this.#shared === null ? here : this.#shared.clear(aliasId, key, ageMs)
  }

  #bindHere(key: string, accept: readonly string[], proposed: string, ttlMs: number): Bound | Promise<Bound> {
    const bound = this.#memory.bind(key, accept, proposed, ttlMs)
    return bound instanceof Promise ? boundInMemory(bound) : { ...bound, backend: 'memory' }
  }

  async #bindShared(
    shared: RedisBindings,
    key: string,
    accept: readonly string[],
    proposed: string,
    ttlMs: number,
  ): Promise<Bound> {
    try {
      const { binding, action } = await shared.bind(key, accept, proposed, ttlMs)
      this.#memory.set(key, binding)
      return { binding, action, backend: 'redis' }
    } catch {
      return this.#bindHere(key, accept, proposed, ttlMs)
    }
  }

  async #moveShared(
    shared: RedisBindings,
    key: string,
    from: string,
    to: string,
    ttlMs: number,
  ): Promise<Binding | null> {
    try {
      const binding = await shared.move(key, from, to, ttlMs)
      if (binding !== null) this.#memory.set(key, binding)
      return binding
    } catch {
      return this.#memory.move(key, from, to, ttlMs)
    }
  }
}

async function boundInMemory(bound: Promise<Binds>): Promise<Bound> {
  return { ...(await bound), backend: 'memory' }
}
