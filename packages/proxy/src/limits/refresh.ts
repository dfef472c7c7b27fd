import { MAX_USED_SUBJECTS, toPicodollars, USED_QUERY, windowOf, type UsedOf, type UsedSubject } from '@millrace/shared'
import type { Logger } from 'pino'

import type { ControlClient } from '../control/client.ts'
import type { Limits } from './limits.ts'
import { QUOTA, type LimitedSubject, type SpentSum } from './store.ts'

/** Learns from control what all proxies together have used of the quotas and budgets that were asked for lately. */
export class UsedRefresh {
  readonly #limits: Limits
  readonly #control: ControlClient
  readonly #log: Logger
  #asking = false

  constructor(limits: Limits, control: ControlClient, log: Logger) {
    this.#limits = limits
    this.#control = control
    this.#log = log
  }

  /** Asks for what was used since the last time. What fails is asked for the next time. */
  async ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    const subjects = this.#limits.takeTouched()
    try {
      while (subjects.length > 0) {
        const some = subjects.slice(0, MAX_USED_SUBJECTS)
        this.#limits.raise(await this.#ask(some))
        subjects.splice(0, some.length)
      }
    } catch (error) {
      this.#limits.touch(subjects)
      this.#log.debug(`what is used is not known anew: ${(error as Error).message}`)
    } finally {
      this.#asking = false
    }
  }

  async #ask(subjects: readonly LimitedSubject[]): Promise<SpentSum[]> {
    const now = Date.now()
    const asked = subjects.map(({ id, budget }): UsedSubject => {
      return { id, window: budget && windowOf(budget.period, now) }
    })
    const { used } = await this.#control.execute<{ used: readonly UsedOf[] }>(USED_QUERY, { subjects: asked })
    return used.flatMap(({ id, window, spentUsd, requests }) => {
      const sums: SpentSum[] = [{ subjectId: id, window: QUOTA, spent: BigInt(requests) }]
      if (window !== null) sums.push({ subjectId: id, window, spent: toPicodollars(spentUsd) })
      return sums.filter(({ spent }) => spent > 0n)
    })
  }
}
