import { INSTRUCTIONS_SUBSCRIPTION, type Instruction } from '@millrace/shared'
import type { Client } from 'graphql-ws'
import type { Logger } from 'pino'

import type { StickyBindings } from '../sticky/bindings.ts'

/** Instructions of which it is known that they were carried out: those that may come again after a reconnect. */
const MOST_REMEMBERED = 1_000

/** Carries out what operators ask of every proxy, each instruction once. */
export class Instructions {
  private readonly sticky: StickyBindings
  private readonly log: Logger
  private readonly startedAt = Date.now()
  private readonly done = new Set<string>()

  constructor(sticky: StickyBindings, log: Logger) {
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

  private take({ id, at, clearStickyBindings }: Instruction): void {
    if (this.done.has(id)) return
    this.done.add(id)
    if (this.done.size > MOST_REMEMBERED) this.done.delete(this.done.values().next().value!)
    // What was asked before this process began, it has nothing of.
    if (Date.parse(at) < this.startedAt || clearStickyBindings === null) return
    const { aliasId, key } = clearStickyBindings
    this.log.info({ alias: aliasId, key }, 'sticky bindings are cleared')
    this.sticky.clear(aliasId, key).catch((error: unknown) => {
      this.log.warn(`sticky bindings were cleared in this process only: ${(error as Error).message}`)
    })
  }
}
