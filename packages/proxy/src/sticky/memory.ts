import { isOfAlias, type Binding, type Binds, type LocalBindings } from './store.ts'

/** Some 250 bytes each. */
const MOST_BINDINGS = 100_000

/**
 * Bindings of this process alone. Bounded: those go that were not used for long. Answers without a promise.
 *
 * What was used lately stands in one Map and what was used before in another, which is dropped when the first has half of
 * what there may be. To delete the oldest key of one Map instead takes 50 µs at this size: V8 leaves a hole for each key that
 * is moved to the end, and walks over them all to find the first.
 */
export class MemoryBindings implements LocalBindings {
  #recent = new Map<string, Binding>()
  #earlier = new Map<string, Binding>()
  readonly #most: number
  readonly #now: () => number

  constructor(most = MOST_BINDINGS, now: () => number = Date.now) {
    this.#most = most
    this.#now = now
  }

  get size(): number {
    return this.#recent.size + this.#earlier.size
  }

  bind(key: string, accept: readonly string[], proposed: string, ttlMs: number): Binds {
    const now = this.#now()
    const found = this.#get(key)
    const action = actionOf(found, accept, now, ttlMs)
    const binding =
      action === 'HIT'
        ? { routeId: found!.routeId, boundAt: found!.boundAt, expiresAt: now + ttlMs }
        : { routeId: proposed, boundAt: now, expiresAt: now + ttlMs }
    this.set(key, binding)
    return { binding, action }
  }

  move(key: string, from: string, to: string, ttlMs: number): Binding | null {
    const now = this.#now()
    const found = this.#get(key)
    if (found === undefined || found.expiresAt <= now) return null
    if (found.routeId !== from) return found
    const binding = { routeId: to, boundAt: now, expiresAt: now + ttlMs }
    this.set(key, binding)
    return binding
  }

  clear(aliasId: string, key: string | null, ageMs: number): number {
    const wantedAt = this.#now() - ageMs
    const before = this.size
    for (const bindings of [this.#recent, this.#earlier]) {
      for (const one of key === null ? bindings.keys() : [key]) {
        if (isOfAlias(one, aliasId) && wantedAt >= (bindings.get(one)?.boundAt ?? Infinity)) bindings.delete(one)
      }
    }
    return before - this.size
  }

  set(key: string, binding: Binding): void {
    this.#earlier.delete(key)
    this.#recent.set(key, binding)
    if (this.#recent.size < this.#most / 2) return
    this.#earlier = this.#recent
    this.#recent = new Map()
  }

  #get(key: string): Binding | undefined {
    return this.#recent.get(key) ?? this.#earlier.get(key)
  }
}

function actionOf(found: Binding | undefined, accept: readonly string[], now: number, ttlMs: number): Binds['action'] {
  if (found === undefined || now - found.expiresAt > ttlMs) return 'BIND'
  if (found.expiresAt <= now) return 'REBIND_EXPIRED'
  return accept.includes(found.routeId) ? 'HIT' : 'REBIND_UNAVAILABLE'
}
