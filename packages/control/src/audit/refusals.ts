/**
 * What was refused, as audit events: each as long as they are few. Of more of one key and address, or of whoever knocks
 * without a good key, a minute's are counted and told as one, so that no flood fills the table.
 */
import { isId, networkOf, parseIp } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { storable } from '../db/storable.ts'
import type { Actor } from '../revisions/change.ts'
import { writeAuditEvent, type AuditedAction } from './write.ts'

/** How long refusals are counted together. */
const PERIOD_MS = 60_000
/** Events of one key and address in a period, before they are counted, and how many such are told apart. */
const OF_KEYS = { events: 100, apart: 1_000 }
/** The same of whoever has no good key: by IPv4 address, or IPv6 network. */
const OF_NOBODY = { events: 1, apart: 50 }

/** The name of a field at fault may be the client's own. */
const LONGEST_FIELD = 200

/** The actor of what came without a good key. No admin key may have its name. */
export const NOBODY = 'anonymous'

/** Where it came from. */
export interface Source {
  readonly requestId: string | null
  readonly clientIp: string | null
}

export interface RefusedOperation {
  /** `Mutation.createToken` */
  readonly subject: string
  /** Of the error. */
  readonly code: string
  /** The argument at fault, if the error names one. */
  readonly field?: unknown
  /** The operation's arguments: ids are told, nothing else. */
  readonly args?: unknown
}

interface Tally {
  readonly by: Pick<Actor, 'name' | 'keyId' | 'requestId' | 'clientIp'>
  written: number
  /** Not written. */
  counted: number
  last: AuditedAction
}
/** By key and address. Of those that would be too many to tell apart, under no address. */
type Tallies = Map<string, Tally>

export class Refusals {
  readonly #database: Database
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #ofKeys: Tallies = new Map()
  #ofNobody: Tallies = new Map()

  /** Counts until {@link close}. */
  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
    this.#timer = setInterval(() => void this.#tell(), PERIOD_MS).unref()
  }

  /**
   * Resolves once it was written, or counted; never fails.
   * @param actor null: nobody with a good key
   */
  async note(actor: Actor | null, source: Source, operation: RefusedOperation): Promise<void> {
    const action = refusedAction(operation)
    const most = actor === null ? OF_NOBODY : OF_KEYS
    const tally = tallyOf(actor === null ? this.#ofNobody : this.#ofKeys, most.apart, actor, source, action)
    tally.last = action
    if (tally.written === most.events) tally.counted++
    else {
      tally.written++
      await this.#write({ name: tally.by.name, keyId: tally.by.keyId, ...source }, action)
    }
  }

  /** Writes what was counted. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#tell()
  }

  async #tell(): Promise<void> {
    const tallies = [...this.#ofKeys.values(), ...this.#ofNobody.values()]
    this.#ofKeys = new Map()
    this.#ofNobody = new Map()
    for (const { by, counted, last } of tallies)
      if (counted > 0) await this.#write(by, { ...last, details: { count: counted } })
  }

  async #write(by: Tally['by'], action: AuditedAction): Promise<void> {
    try {
      await writeAuditEvent(this.#database.em(), by, action)
    } catch (error) {
      const { subject, result } = action
      const { message } = error as Error
      this.#log.error({ ...by, subject, result, reason: message }, 'a refusal could not be audited')
    }
  }
}

function tallyOf(
  tallies: Tallies,
  apart: number,
  actor: Actor | null,
  { clientIp }: Source,
  last: AuditedAction,
): Tally {
  const address = clientIp === null ? null : parseIp(clientIp)
  const own = `${actor?.keyId} ${actor === null && address !== null ? networkOf(address) : clientIp}`
  const isCrowded = !tallies.has(own) && tallies.size >= apart
  const whose = isCrowded ? '' : own
  let tally = tallies.get(whose)
  if (!tally) {
    const by = isCrowded || actor === null ? { name: NOBODY, keyId: null } : { name: actor.name, keyId: actor.keyId }
    tally = { by: { ...by, requestId: null, clientIp: isCrowded ? null : clientIp }, written: 0, counted: 0, last }
    tallies.set(whose, tally)
  }
  return tally
}

function refusedAction({ subject, code, field, args }: RefusedOperation): AuditedAction {
  return {
    action: subject.slice(subject.indexOf('.') + 1),
    subject,
    projectId: null,
    result: code,
    details: {
      ...(typeof field === 'string' ? { field: storable(field.slice(0, LONGEST_FIELD)) } : {}),
      ...idsIn(args),
    },
  }
}

/** What it was asked for, by the arguments that are ids. */
function idsIn(args: unknown): Readonly<Record<string, unknown>> {
  const ids = Object.entries(args ?? {}).filter(([, value]) => typeof value === 'string' && isId(value))
  return ids.length > 0 ? { arguments: Object.fromEntries(ids) } : {}
}
