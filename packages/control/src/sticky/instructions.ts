/** What every proxy is told to do: each once, and again after a reconnect. */
import type { Instruction } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { Bus } from '../feed/bus.ts'
import type { Mailbox } from '../feed/mailbox.ts'

/** The channel on which it is announced that there is an instruction. */
export const INSTRUCTION_CHANNEL = 'millrace_instruction'
/** How long a proxy that was away is told of one. */
export const INSTRUCTION_SECONDS = 3_600

const POLL_MS = 1_000
/** Of all that are kept, and of those that wait for one proxy. */
const MOST = 10_000

interface Row {
  readonly id: string
  readonly at: string
  readonly aliasId: string
  readonly key: string | null
}

/** From the newest that is known on: several may be of its millisecond. */
const SELECT = `
  select id, at, alias_id as "aliasId", key from sticky_clear
  where at >= coalesce(?::timestamptz, now() - make_interval(secs => ?))
  order by at, id limit ?`

export class Instructions {
  readonly #database: Database
  readonly #bus = new Bus<Instruction>()
  readonly #watch: Watch
  /** By their ids, the oldest first. */
  readonly #known = new Map<string, Instruction>()
  #newestAt: string | null = null

  constructor(database: Database, log: Logger) {
    this.#database = database
    const options = { channel: INSTRUCTION_CHANNEL, what: 'instructions for proxies', pollMs: POLL_MS, restMs: 0 }
    this.#watch = new Watch(database, () => this.#look(), options, log)
  }

  start(): Promise<void> {
    return this.#watch.start()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  /** Those of the last hour at once, then each new one. */
  subscribe(): Mailbox<Instruction> {
    const mailbox = this.#bus.subscribe(MOST)
    for (const instruction of this.#known.values()) if (isRecent(instruction)) mailbox.post(instruction)
    return mailbox
  }

  async #look(): Promise<void> {
    const rows = await this.#database.em().execute<Row[]>(SELECT, [this.#newestAt, INSTRUCTION_SECONDS, MOST])
    for (const row of rows) {
      if (this.#known.has(row.id)) continue
      const instruction = toInstruction(row)
      this.#known.set(row.id, instruction)
      this.#newestAt = instruction.at
      this.#bus.publish(instruction)
    }
    this.#forgetOld()
  }

  /** But for the newest, after which those that are new come. */
  #forgetOld(): void {
    for (const [id, instruction] of this.#known) {
      if (this.#known.size === 1 || (this.#known.size <= MOST && isRecent(instruction))) return
      this.#known.delete(id)
    }
  }
}

function isRecent({ at }: Instruction): boolean {
  return Date.parse(at) >= Date.now() - INSTRUCTION_SECONDS * 1_000
}

function toInstruction({ id, at, aliasId, key }: Row): Instruction {
  return { id, at: new Date(at).toISOString(), clearStickyBindings: { aliasId, key } }
}
