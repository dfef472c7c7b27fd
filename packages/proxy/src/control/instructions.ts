import { INSTRUCTIONS_SUBSCRIPTION, MAX_INSTRUCTIONS, type Instruction } from '@millrace/shared'
import type { Client } from 'graphql-ws'
import type { Logger } from 'pino'

import type { StickyBindings } from '../sticky/bindings.ts'

/** Before what has failed is tried again. */
const RETRY_MS = 5_000

/** Bindings to be forgotten. */
interface Clear {
  readonly aliasId: string
  readonly key: string | null
  /** By `performance.now()`. */
  readonly givenAt: number
}

/**
 * Carries out what operators ask of every proxy. Those of the last hour come again after a reconnect, and at first those of
 * before this process: Redis may not have been told of them.
 */
export class Instructions {
  private readonly sticky: Pick<StickyBindings, 'clear'>
  private readonly log: Logger
  /** By their ids: those that need not be carried out again. To do so would do no harm. */
  private readonly known = new Set<string>()
  /** What is to be cleared, by what that is: a later instruction does what an earlier one would have. */
  private readonly pending = new Map<string, Clear>()
  private working = false
  private failing = false

  constructor(sticky: Pick<StickyBindings, 'clear'>, log: Logger) {
    this.sticky = sticky
    this.log = log
  }

  /** Follows a connection to the control plane until it ends. */
  follow(client: Client): void {
    client.subscribe<{ instructions: Instruction }>(
      { query: INSTRUCTIONS_SUBSCRIPTION },
      {
        next: ({ data }) => {
          if (data?.instructions) this.take(data.instructions)
        },
        error: () => this.log.debug('the subscription to instructions has ended'),
        complete: () => {},
      },
    )
  }

  private take({ id, ageMs, clearStickyBindings }: Instruction): void {
    if (this.known.has(id)) return
    this.known.add(id)
    if (this.known.size > MAX_INSTRUCTIONS) this.known.delete(this.known.values().next().value!)
    if (clearStickyBindings === null) return
    const { aliasId, key } = clearStickyBindings
    this.pending.set(JSON.stringify([aliasId, key]), { aliasId, key, givenAt: performance.now() - ageMs })
    void this.work()
  }

  /** Carries out what is pending; what fails stays so, and is tried again later. */
  private async work(): Promise<void> {
    if (this.working) return
    this.working = true
    const failed = new Map<string, Clear>()
    while (this.pending.size > 0) {
      const [name, clear] = this.pending.entries().next().value!
      this.pending.delete(name)
      if (!(await this.carryOut(clear))) failed.set(name, clear)
    }
    this.working = false
    for (const [name, clear] of failed) this.pending.set(name, clear)
    if (failed.size > 0) setTimeout(() => void this.work(), RETRY_MS).unref()
  }

  private async carryOut({ aliasId, key, givenAt }: Clear): Promise<boolean> {
    try {
      const cleared = await this.sticky.clear(aliasId, key, performance.now() - givenAt)
      if (cleared > 0) this.log.info({ alias: aliasId, key, cleared }, 'sticky bindings are cleared')
      this.failing = false
      return true
    } catch (error) {
      if (!this.failing)
        this.log.warn(`sticky bindings are cleared in this process only, for now: ${(error as Error).message}`)
      this.failing = true
      return false
    }
  }
}
