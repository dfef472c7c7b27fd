import { MAX_USED_SUBJECTS, toPicodollars, USED_QUERY, windowOf, type UsedOf, type UsedSubject } from '@millrace/shared'
import type { Logger } from 'pino'

import type { ControlClient } from '../control/client.ts'
import type { Limits } from './limits.ts'
import { QUOTA, type LimitedSubject, type SpentSum } from './store.ts'

/** In answers of control: what others used at the same time, it knows some seconds later. */
const FORGET_EVERY = 3

/** Learns from control what all proxies together have used of the quotas and budgets that were asked for lately. */
export class UsedRefresh {
  readonly #limits: Limits
  readonly #control: ControlClient
  readonly #log: Logger
  #asking = false
  #answered = 0

  constructor(limits: Limits, control: ControlClient, log: Logger) {
    this.#limits = limits
    this.#control = control
    this.#log = log
  }

  /** What fails is asked for the next time, as is what was used lately. */
  async ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    const subjects = this.#limits.usedLately()
    try {
      for (let i = 0; i < subjects.length; i += MAX_USED_SUBJECTS)
        this.#limits.raise(await this.#ask(subjects.slice(i, i + MAX_USED_SUBJECTS)))
      if (++this.#answered % FORGET_EVERY === 0) this.#limits.forget()
    } catch (error) {
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
