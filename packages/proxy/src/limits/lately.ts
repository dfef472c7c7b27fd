import type { LimitedSubject } from './store.ts'

/** Those with a quota or a budget that were used lately, for at least one of {@link Lately.age}'s intervals and at most two. */
export class Lately {
  #used = new Map<string, LimitedSubject>()
  #earlier = new Map<string, LimitedSubject>()

  use(subjects: readonly LimitedSubject[]): void {
    for (const subject of subjects)
      if (subject.budget !== null || subject.maxRequests !== null) this.#used.set(subject.id, subject)
  }

  /** Each once, as it was used last. */
  all(): LimitedSubject[] {
    return [...new Map([...this.#earlier, ...this.#used]).values()]
  }

  age(): void {
    this.#earlier = this.#used
    this.#used = new Map()
  }
}
