import type { PurgeScope } from '@millrace/shared'

import type { Kept } from './memory-tier.ts'

/** Scopes that are told apart. */
const MOST_SCOPES = 10_000

/** What was purged when, so that an answer which was begun before is known for one. */
export class Purges {
  /** How many there were. */
  #count = 0
  /** The last of each scope, by its number. */
  readonly #last = new Map<string, number>()
  /** Whatever was begun before this one is taken for purged. */
  #everything = 0

  get count(): number {
    return this.#count
  }

  add({ projectId, model }: PurgeScope): void {
    this.#count++
    if (this.#last.size >= MOST_SCOPES || (projectId === null && model === null)) {
      this.#last.clear()
      this.#everything = this.#count
    } else {
      this.#last.set(nameOf(projectId, model), this.#count)
    }
  }

  /** @param count as it was then */
  meant(count: number, { projectId, model }: Pick<Kept, 'projectId' | 'model'>): boolean {
    if (count === this.#count) return false
    return (
      count < this.#everything ||
      this.#isLater(count, projectId, null) ||
      (model !== null && (this.#isLater(count, null, model) || this.#isLater(count, projectId, model)))
    )
  }

  #isLater(count: number, projectId: string | null, model: string | null): boolean {
    return (this.#last.get(nameOf(projectId, model)) ?? 0) > count
  }
}

/** Of a scope; no two have the same. */
export function nameOf(projectId: string | null, model: string | null): string {
  return JSON.stringify([projectId, model])
}
