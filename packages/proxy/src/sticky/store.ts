/** Where sticky bindings are kept: which route the requests of one subject go to. */
import type { StickyAction } from '@millrace/shared'

export interface Binding {
  readonly routeId: string
  /** Milliseconds since 1970, by the store's clock. */
  readonly boundAt: number
  readonly expiresAt: number
}

export interface Binds {
  readonly binding: Binding
  readonly action: Exclude<StickyAction, 'NONE'>
}

/** Each operation is one step: of several at once, each sees what the one before has left. */
export interface StickyStore {
  /**
   * Finds or makes a binding. A live one whose route is in `accept` stands, and its expiry slides (HIT). Otherwise it is made
   * to `proposed`: the first (BIND), in place of one that expired not longer ago than its lifetime (REBIND_EXPIRED), or of
   * one whose route is not accepted (REBIND_UNAVAILABLE).
   * @param key begins with the alias's id and a colon
   */
  bind(key: string, accept: readonly string[], proposed: string, ttlMs: number): Binds | Promise<Binds>
  /**
   * Makes a live binding to `from` one to `to`: `from` has failed, and `to` has answered.
   * @returns the binding as it stands, which may be another that was made meanwhile; null if there is none
   */
  move(key: string, from: string, to: string, ttlMs: number): Binding | null | Promise<Binding | null>
  /**
   * Forgets one binding of an alias, or all; but none that was made since.
   * @param key null: all
   * @param ageMs how long ago that was wanted. A span, not a moment: clocks differ
   * @returns how many
   */
  clear(aliasId: string, key: string | null, ageMs: number): number | Promise<number>
}

/** Bindings that are kept beside those of Redis, for when it is away. */
export interface LocalBindings extends StickyStore {
  /** Keeps a binding as another store has it. */
  set(key: string, binding: Binding): void
}

/** Whether a key is of an alias. */
export function isOfAlias(key: string, aliasId: string): boolean {
  return key.length > aliasId.length && key.startsWith(aliasId) && key[aliasId.length] === ':'
}
