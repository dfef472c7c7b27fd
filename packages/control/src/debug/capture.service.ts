import { globText, MAX_DEBUG_BODY_BYTES, wholeNumber, type DebugCapture } from '@millrace/shared'
import type { Logger } from 'pino'
import * as z from 'zod'

import { requireGoodKey } from '../access/good-key.ts'
import type { Scope } from '../access/scope.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database, Em } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { Bus } from '../feed/bus.ts'
import type { Mailbox } from '../feed/mailbox.ts'
import { notFound } from '../graphql/errors.ts'
import { idText, readInput } from '../graphql/input.ts'
import type { Actor } from '../revisions/change.ts'
import { Token } from '../tokens/token.entity.ts'
import type { DebugCaptureType } from './capture.type.ts'

/** The channel on which it is announced that it was set anew. */
export const DEBUG_CHANNEL = 'millrace_debug'

const POLL_MS = 1_000

const DEFAULT_BODY_BYTES = 65_536
const DEFAULT_HOURS = 24
const DEFAULT_MINUTES = 60
/** A week. */
const MOST_MINUTES = 10_080
const MOST_TOKENS = 1_000
const MOST_MODELS = 100

/** Requests that began before its end may take so long, and their exchanges come after that. */
const GRACE_MINUTES = 15
/** Bytes of exchanges that are stored of one capture, however long it is on. */
const MOST_STORED = 1_073_741_824

const bodyBytes = wholeNumber(0, MAX_DEBUG_BODY_BYTES)
const duration = wholeNumber(1, MOST_MINUTES)
const tokenIds = z
  .array(idText, 'must be a list of ids')
  .min(1, 'must not be empty; null means every token')
  .max(MOST_TOKENS, `must be at most ${MOST_TOKENS}`)
  .nullable()
const modelGlobs = z
  .array(globText, 'must be a list of texts')
  .min(1, 'must not be empty; null means every model')
  .max(MOST_MODELS, `must be at most ${MOST_MODELS}`)
  .nullable()

/** Null: the default. */
export interface GivenCapture {
  readonly enabled: boolean
  readonly maxBodyBytes: number | null
  readonly retentionHours: number | null
  readonly minutes: number | null
  readonly tokens: readonly string[] | null
  readonly models: readonly string[] | null
}

interface Row extends Omit<DebugCaptureType, 'until'> {
  readonly number: string
  readonly until: string | Date | null
  readonly remainingMs: number | null
}

/** As it is told to proxies. `endsAt` as `performance.now()`: no clock that is set moves it. */
export interface ToldCapture extends Omit<DebugCapture, 'remainingMs'> {
  readonly endsAt: number | null
}

const SELECT = `
  select number::text, coalesce(enabled and until > clock_timestamp() and room > 0, false) as enabled, max_body_bytes as "maxBodyBytes",
    retention_hours as "retentionHours", until, tokens, models,
    (extract(epoch from until - clock_timestamp()) * 1000)::double precision as "remainingMs"
  from debug_capture`

const TURN_ON = `
  update debug_capture set number = number + 1, enabled = true, max_body_bytes = ?, retention_hours = ?,
    tokens = ?::jsonb, models = ?::jsonb, until = clock_timestamp() + make_interval(mins => ?),
    accepts_until = clock_timestamp() + make_interval(mins => ?), room = ?`

const TURN_OFF = `
  update debug_capture set number = number + 1, enabled = false, max_body_bytes = ?, retention_hours = ?,
    tokens = ?::jsonb, models = ?::jsonb, until = null,
    accepts_until = least(accepts_until, clock_timestamp() + make_interval(mins => ?))`

/** What is captured: one setting, which all control processes share, and which outlives them. No revision has it. */
export class DebugCaptureService {
  readonly #database: Database
  readonly #retentionHours: ReturnType<typeof wholeNumber>
  readonly #bus = new Bus<ToldCapture>()
  readonly #watch: Watch
  /** What proxies were told, and by which it is known again. */
  #told: ToldCapture | null = null
  #known = ''

  /** @param mostDays for which exchanges may be kept */
  constructor(database: Database, mostDays: number, log: Logger) {
    this.#database = database
    this.#retentionHours = wholeNumber(1, mostDays * 24)
    const options = { channel: DEBUG_CHANNEL, what: 'what is to be captured', pollMs: POLL_MS, restMs: 0 }
    this.#watch = new Watch(database, () => this.#look(), options, log)
  }

  start(): Promise<void> {
    return this.#watch.start()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  async read(scope: Scope): Promise<DebugCaptureType> {
    const em = this.#database.em()
    return toCapture(em, await readRow(em), scope)
  }

  /**
   * Sets all of it.
   * @throws GraphQLError BAD_USER_INPUT; NOT_FOUND for a token that there is not; FORBIDDEN to keys that are bound: it is global
   */
  async set(actor: Actor, given: GivenCapture): Promise<DebugCaptureType> {
    const { enabled } = given
    const bytes = readInput(bodyBytes, given.maxBodyBytes ?? DEFAULT_BODY_BYTES, 'maxBodyBytes')
    const hours = readInput(this.#retentionHours, given.retentionHours ?? DEFAULT_HOURS, 'retentionHours')
    const minutes = readInput(duration, given.minutes ?? DEFAULT_MINUTES, 'minutes')
    const tokens = readInput(tokenIds, given.tokens, 'tokens')
    const models = readInput(modelGlobs, given.models, 'models')
    return this.#database.em().transactional(async (em) => {
      await requireGoodKey(em, actor)
      actor.scope.requireOwn(null)
      await requireTokens(em, tokens)
      const set = [bytes, hours, tokens && JSON.stringify(tokens), models && JSON.stringify(models)]
      if (enabled) await em.execute(TURN_ON, [...set, minutes, minutes + GRACE_MINUTES, MOST_STORED])
      else await em.execute(TURN_OFF, [...set, GRACE_MINUTES])
      await em.execute("select pg_notify(?, '')", [DEBUG_CHANNEL])
      const details = { maxBodyBytes: bytes, retentionHours: hours, ...(enabled ? { minutes } : {}), tokens, models }
      await writeAuditEvent(em, actor, {
        action: 'setDebugCapture',
        subject: 'debug capture',
        projectId: null,
        details: { enabled, ...details },
      })
      return toCapture(em, await readRow(em), actor.scope)
    })
  }

  /** What proxies are to capture, at once, and whenever it changes: {@link captureOf} says it. */
  subscribe(): Mailbox<ToldCapture> {
    // Of several changes only the last matters.
    const mailbox = this.#bus.subscribe(1)
    if (this.#told !== null) mailbox.post(this.#told)
    return mailbox
  }

  async #look(): Promise<void> {
    const { number, enabled, maxBodyBytes, retentionHours, remainingMs, tokens, models } = await readRow(
      this.#database.em(),
    )
    const known = `${number} ${enabled}`
    if (known === this.#known) return
    this.#known = known
    const endsAt = remainingMs === null ? null : performance.now() + remainingMs
    this.#told = { enabled, maxBodyBytes, retentionHours, endsAt, tokens, models }
    this.#bus.publish(this.#told)
  }
}

/** As a proxy is told of it now. */
export function captureOf({ endsAt, ...told }: ToldCapture): DebugCapture {
  return { ...told, remainingMs: endsAt === null ? null : Math.max(0, endsAt - performance.now()) }
}

async function readRow(em: Em): Promise<Row> {
  const [row] = await em.execute<Row[]>(SELECT)
  return row!
}

/** @throws GraphQLError NOT_FOUND naming the first that there is not */
async function requireTokens(em: Em, ids: readonly string[] | null): Promise<void> {
  if (ids === null) return
  const found = await em.find(Token, { id: { $in: [...ids] } }, { fields: ['id'] })
  const known = new Set(found.map(({ id }) => id))
  const missing = ids.findIndex((id) => !known.has(id))
  if (missing !== -1) throw notFound('token', `tokens.${missing}`)
}

async function toCapture(em: Em, row: Row, scope: Scope): Promise<DebugCaptureType> {
  const { enabled, maxBodyBytes: bytes, retentionHours, until, tokens, models } = row
  return {
    enabled,
    maxBodyBytes: bytes,
    retentionHours,
    until: until === null ? null : new Date(until),
    tokens: tokens && (await seenOf(em, tokens, scope)),
    models,
  }
}

/** Those that a key sees. */
async function seenOf(em: Em, tokens: string[], { projects }: Scope): Promise<string[]> {
  if (projects === null) return tokens
  const found = await em.find(Token, { id: { $in: tokens }, project: { $in: [...projects] } }, { fields: ['id'] })
  return found.map(({ id }) => id)
}
