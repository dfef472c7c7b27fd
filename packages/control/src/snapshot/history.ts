/** What has changed since which revision, as far back as it is remembered. */

export interface Change {
  readonly routing: boolean
  readonly projects: boolean
  /** Ids, also of those that are no more. */
  readonly tokens: readonly string[]
}

export interface Changes extends Omit<Change, 'tokens'> {
  readonly tokens: ReadonlySet<string>
}

/** A step weighs as much as so many ids. */
const STEP_WEIGHT = 10

export class History {
  readonly #capacity: number
  /** The oldest first. */
  #steps: (Change & { readonly revision: number })[] = []
  /** From this revision on everything is remembered. */
  #from = Infinity
  #weight = 0

  /** @param capacity ids of tokens that are remembered at most */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Nothing is known of what was before this revision. */
  begin(revision: number): void {
    this.#steps = []
    this.#weight = 0
    this.#from = revision
  }

  /** @param revision the one that the change has led to, from the one that was added before */
  add(revision: number, change: Change): void {
    this.#steps.push({ revision, ...change })
    this.#weight += weightOf(change)
    let forgotten = 0
    // Half of it at once: what moves the rest is done seldom.
    if (this.#weight > this.#capacity)
      while (this.#weight > this.#capacity / 2) {
        const step = this.#steps[forgotten++]!
        this.#weight -= weightOf(step)
        this.#from = step.revision
      }
    this.#steps.splice(0, forgotten)
  }

  /** All that has changed since; null where that isn't known any more. */
  since(revision: number): Changes | null {
    if (revision < this.#from) return null
    let [routing, projects] = [false, false]
    const tokens = new Set<string>()
    for (let i = this.#steps.length - 1; i >= 0 && this.#steps[i]!.revision > revision; i--) {
      const step = this.#steps[i]!
      routing ||= step.routing
      projects ||= step.projects
      for (const id of step.tokens) tokens.add(id)
    }
    return { routing, projects, tokens }
  }
}

function weightOf({ tokens }: Change): number {
  return tokens.length + STEP_WEIGHT
}
