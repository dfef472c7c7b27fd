import { MemoryBindings } from '../sticky/memory.ts'
import type { Binding, Binds, LocalBindings } from '../sticky/store.ts'
import type { ToPrimary } from './link.ts'

const DEADLINE_MS = 500
/** Nobody's request waits for a clearing. */
const CLEAR_DEADLINE_MS = 5_000

/** The primary's bindings, which all workers share. While it does not answer they are this process's. */
export class SharedBindings implements LocalBindings {
  private readonly primary: ToPrimary
  private readonly here = new MemoryBindings()

  constructor(primary: ToPrimary) {
    this.primary = primary
  }

  /** Never fails. */
  async bind(key: string, accept: readonly string[], proposed: string, ttlMs: number): Promise<Binds> {
    try {
      const bound = await this.primary.ask('bind', { key, accept, proposed, ttlMs }, DEADLINE_MS)
      this.here.set(key, bound.binding)
      return bound
    } catch {
      return this.here.bind(key, accept, proposed, ttlMs)
    }
  }

  /** Never fails. */
  async move(key: string, from: string, to: string, ttlMs: number): Promise<Binding | null> {
    try {
      const binding = await this.primary.ask('move', { key, from, to, ttlMs }, DEADLINE_MS)
      if (binding !== null) this.here.set(key, binding)
      return binding
    } catch {
      return this.here.move(key, from, to, ttlMs)
    }
  }

  /** @throws Error if the primary does not answer; what is here is cleared all the same */
  async clear(aliasId: string, key: string | null, ageMs: number): Promise<number> {
    this.here.clear(aliasId, key, ageMs)
    return this.primary.ask('clear', { aliasId, key, ageMs }, CLEAR_DEADLINE_MS)
  }

  set(key: string, binding: Binding): void {
    this.here.set(key, binding)
    this.primary.mention('keep', { key, binding })
  }
}
