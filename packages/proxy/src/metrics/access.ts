/** Who may read a proxy's metrics: this machine, and whoever has a key of the control plane that reads. */
import { createHash } from 'node:crypto'

import { isLoopback, type IpKey } from '@millrace/shared'

const READERS = new Set(['VIEWER', 'EDITOR', 'ADMIN'])
/** What control has said of a key holds for so long. */
const KNOWN_MS = 60_000
const MOST_KNOWN = 256
/** Keys that control is asked about at once: nobody makes it busy through a proxy. */
const MOST_ASKED = 8

/** Why someone may not read; the last two: nobody knows. */
export type Denial = 'unauthenticated' | 'forbidden' | 'busy' | 'unavailable'

/** The role of an admin key; null: it is none. @throws Error if control does not say */
export type RoleLookup = (key: string) => Promise<string | null>

export class MetricsAccess {
  private readonly roleOf: RoleLookup
  /** By the digest of the key; the longest known first. */
  private readonly known = new Map<string, { readonly role: Promise<string | null>; readonly until: number }>()
  private asking = 0

  constructor(roleOf: RoleLookup) {
    this.roleOf = roleOf
  }

  /**
   * @param address where the request comes from; null: nobody knows
   * @param key what it brings as a bearer; null: nothing
   * @returns null: it may
   */
  async denies(address: IpKey | null, key: string | null): Promise<Denial | null> {
    if (isLoopback(address)) return null
    if (key === null || key === '') return 'unauthenticated'
    const digest = createHash('sha256').update(key).digest('base64')
    let found = this.known.get(digest)
    if (found === undefined || found.until <= performance.now()) {
      if (this.asking >= MOST_ASKED) return 'busy'
      found = { role: this.ask(key), until: performance.now() + KNOWN_MS }
      this.known.delete(digest)
      this.known.set(digest, found)
      if (this.known.size > MOST_KNOWN) this.known.delete(this.known.keys().next().value!)
    }
    try {
      const role = await found.role
      if (role === null) return 'unauthenticated'
      return READERS.has(role) ? null : 'forbidden'
    } catch {
      if (this.known.get(digest) === found) this.known.delete(digest)
      return 'unavailable'
    }
  }

  private async ask(key: string): Promise<string | null> {
    this.asking++
    try {
      return await this.roleOf(key)
    } finally {
      this.asking--
    }
  }
}
