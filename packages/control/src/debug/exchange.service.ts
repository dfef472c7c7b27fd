import { isId, MAX_DEBUG_BATCH, parseDebugExchange, type DebugExchange } from '@millrace/shared'
import type { Logger } from 'pino'

import { requireGoodKey } from '../access/good-key.ts'
import type { Scope } from '../access/scope.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database } from '../db/database.ts'
import { isUnavailable } from '../db/failure.ts'
import { storable } from '../db/storable.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { badInput } from '../graphql/errors.ts'
import { pageSize, readInput } from '../graphql/input.ts'
import type { Actor } from '../revisions/change.ts'
import { deleteExpired, selectExchange, selectSummaries, storeExchanges, type Stored } from './exchange.store.ts'
import type { DebugExchangeSummaryType, DebugExchangeType } from './exchange.type.ts'

/** SQLSTATE: connection failure. */
const UNAVAILABLE = '08006'

/** What was captured: what people and models have said to each other. Whoever reads it leaves an audit event. */
export class DebugExchangeService {
  readonly #database: Database
  readonly #mostDays: number
  readonly #log: Logger

  /** @param mostDays for which they may be kept */
  constructor(database: Database, mostDays: number, log: Logger) {
    this.#database = database
    this.#mostDays = mostDays
    this.#log = log
  }

  /**
   * Takes exchanges from a proxy, each once however often it is sent.
   * @returns how many of them are stored now
   * @throws GraphQLError BAD_USER_INPUT if they are too many
   */
  async store(values: readonly unknown[]): Promise<number> {
    if (values.length > MAX_DEBUG_BATCH) throw badInput('exchanges', `must be at most ${MAX_DEBUG_BATCH}`)
    const exchanges = this.#parse(values)
    if (exchanges.length === 0) return 0
    const { taken, full } = await this.#insert(exchanges)
    if (full) this.#log.warn('the debug capture has ended: it has caught as much as is kept of one')
    return taken
  }

  /** By the record's id; null where nothing was captured, or not for this key, or not any more. */
  read(actor: Actor, id: string): Promise<DebugExchangeType | null> {
    if (!isId(id)) return Promise.resolve(null)
    return this.#database.em().transactional(async (em) => {
      await requireGoodKey(em, actor)
      const exchange = await selectExchange(em, id, actor.scope.ownRows('project_id'), this.#mostDays)
      if (exchange === null) return null
      const { projectId, requestId } = exchange
      await writeAuditEvent(em, actor, {
        action: 'debugExchange',
        subject: `exchange ${exchange.id}`,
        projectId,
        details: { exchange: exchange.id, requestId },
      })
      return exchange
    })
  }

  /** Newest first, of what a key sees. */
  async page(scope: Scope, requested: number | null, after: string | null): Promise<Page<DebugExchangeSummaryType>> {
    const first = readInput(pageSize, requested ?? 50, 'first')
    const begun = after === null ? [] : [{ sql: 'id < ?::uuid', values: decodeCursor('debugExchanges', after, isId) }]
    const conditions = [...begun, ...scope.ownRows('project_id')]
    const rows = await selectSummaries(this.#database.em(), conditions, first + 1, this.#mostDays)
    return pageOf(
      rows,
      first,
      after,
      ({ id }) => encodeCursor('debugExchanges', id),
      (row) => row,
    )
  }

  /** Deletes those whose time is over. @param signal ends it between two statements */
  async tidy(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await deleteExpired(this.#database.em(), this.#mostDays)));
  }

  #parse(values: readonly unknown[]): DebugExchange[] {
    const exchanges: DebugExchange[] = []
    const reasons: string[] = []
    for (const value of values) {
      try {
        exchanges.push(storable(parseDebugExchange(value)))
      } catch (error) {
        reasons.push((error as Error).message)
      }
    }
    if (reasons.length > 0) this.#log.warn({ count: reasons.length, first: reasons[0] }, 'refused debug exchanges')
    return exchanges
  }

  /** @throws Error that tells nothing of the exchanges: what the database says of a statement may quote it */
  async #insert(exchanges: readonly DebugExchange[]): Promise<Stored> {
    try {
      return await storeExchanges(this.#database.em(), exchanges, this.#mostDays)
    } catch (error) {
      const code = isUnavailable(error) ? UNAVAILABLE : (error as { code?: unknown }).code
      throw Object.assign(new Error(`debug exchanges could not be stored (${String(code)})`), { code })
    }
  }
}
