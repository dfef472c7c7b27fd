/** What every proxy is told to do: each once, and again after a reconnect. */
import { MAX_INSTRUCTIONS, type Instruction } from '@millrace/shared'
import type { Logger } from 'pino'

import { PURGE_INSTRUCTIONS } from '../cache/purges.ts'
import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { Bus } from '../feed/bus.ts'
import type { Mailbox } from '../feed/mailbox.ts'
import { CLEAR_INSTRUCTIONS } from '../sticky/clears.ts'
import { INSTRUCTION_CHANNEL, INSTRUCTION_SECONDS } from './give.ts'

const POLL_MS = 1_000

/** One that was given, with when that was by `performance.now()`: no clock that is set moves it. */
export interface GivenInstruction extends Omit<Instruction, 'ageMs'> {
  readonly givenAt: number
}

interface Row extends Instruction {
  readonly number: string
}

/** Of each kind's table no more is read than could be told. */
const SELECT = `
  select number::text, id, at, (extract(epoch from clock_timestamp() - at) * 1000)::double precision as "ageMs",
    "clearStickyBindings", "purgeCache"
  from (
    (${CLEAR_INSTRUCTIONS} where number > ? and at > now() - make_interval(secs => ?) order by number limit ?)
    union all
    (${PURGE_INSTRUCTIONS} where number > ? and at > now() - make_interval(secs => ?) order by number limit ?)
  ) as given
  order by given.number limit ?`

export class Instructions {
  readonly #database: Database
  readonly #bus = new Bus<GivenInstruction>()
  readonly #watch: Watch
  /** Those of the last hour, the oldest first. */
  #known: GivenInstruction[] = []
  /** Of the newest that was read. */
  #number = '0'

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
  subscribe(): Mailbox<GivenInstruction> {
    const mailbox = this.#bus.subscribe(MAX_INSTRUCTIONS)
    for (const instruction of this.#known) if (isTold(instruction)) mailbox.post(instruction)
    return mailbox
  }

  async #look(): Promise<void> {
    const which = [this.#number, INSTRUCTION_SECONDS, MAX_INSTRUCTIONS]
    const rows = await this.#database.em().execute<Row[]>(SELECT, [...which, ...which, MAX_INSTRUCTIONS])
    if (rows.length === 0) return
    const instructions = rows.map(toInstruction)
    this.#number = rows.at(-1)!.number
    this.#known = [...this.#known, ...instructions].filter(isTold).slice(-MAX_INSTRUCTIONS)
    for (const instruction of instructions) this.#bus.publish(instruction)
  }
}

/** How many milliseconds ago it was given. */
export function ageOf({ givenAt }: GivenInstruction): number {
  return Math.max(0, performance.now() - givenAt)
}

/** Whether a proxy that comes now is told of it. */
function isTold(instruction: GivenInstruction): boolean {
  return ageOf(instruction) < INSTRUCTION_SECONDS * 1_000
}

function toInstruction({ number: _, ageMs, at, ...instruction }: Row): GivenInstruction {
  return { ...instruction, at: new Date(at).toISOString(), givenAt: performance.now() - ageMs }
}
