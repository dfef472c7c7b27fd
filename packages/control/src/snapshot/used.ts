/** Tells with tokens and projects what they have used of their quotas and budgets. */
import {
  roundedUp,
  windowOf,
  type SnapshotPart,
  type SnapshotProject,
  type SnapshotToken,
  type SnapshotUsed,
  type UsedSubject,
} from '@millrace/shared'
import type { Logger } from 'pino'

/** Where that is known. */
export interface Spending {
  /** By id. Who has used nothing may be missing. */
  used(
    subjects: readonly UsedSubject[],
  ): Promise<ReadonlyMap<string, { readonly spentUsd: string; readonly requests: number }>>
}

/** A database that didn't answer isn't asked again for so long: a transfer has hundreds of parts. */
const REST_MS = 5_000

const NOTHING = { spentUsd: '0', requests: 0 }

type Limited = SnapshotToken | SnapshotProject

export class UsedReader {
  readonly #spending: Spending
  readonly #log: Logger
  /** Before this it isn't asked, as `performance.now()`. */
  #restUntil = 0

  constructor(spending: Spending, log: Logger) {
    this.#spending = spending
    this.#log = log
  }

  /** The part with what is used now. Where that can't be read it is null, which a proxy can live with. */
  async fill(part: SnapshotPart): Promise<SnapshotPart> {
    const now = Date.now()
    const projects = part.projects as readonly SnapshotProject[]
    const tokens = part.tokens as readonly SnapshotToken[]
    const subjects = [...projects, ...tokens].filter(isCounted).map(({ id, budget }) => subjectOf(id, budget, now))
    if (subjects.length === 0) return part
    const used = await this.#read(subjects)
    return used === null
      ? part
      : { ...part, projects: projects.map((one) => used(one)), tokens: tokens.map((one) => used(one)) }
  }

  async #read(subjects: readonly UsedSubject[]): Promise<(<T extends Limited>(one: T) => T) | null> {
    if (performance.now() < this.#restUntil) return null
    try {
      const found = await this.#spending.used(subjects)
      const windows = new Map(subjects.map(({ id, window }) => [id, window]))
      return (one) => {
        const window = windows.get(one.id)
        return window === undefined ? one : { ...one, used: usedOf(window, found.get(one.id) ?? NOTHING) }
      }
    } catch (error) {
      this.#restUntil = performance.now() + REST_MS
      this.#log.warn({ reason: (error as Error).message }, 'cannot tell proxies what is used of budgets and quotas')
      return null
    }
  }
}

/** Whether proxies must know what was used. */
function isCounted(one: Limited): boolean {
  return one.budget !== null || ('maxRequests' in one && one.maxRequests !== null)
}

function subjectOf(id: string, budget: Limited['budget'], now: number): UsedSubject {
  return { id, window: budget && windowOf(budget.period, now) }
}

function usedOf(window: string | null, { spentUsd, requests }: typeof NOTHING): SnapshotUsed {
  return { window, spentUsd: roundedUp(spentUsd), requests }
}
