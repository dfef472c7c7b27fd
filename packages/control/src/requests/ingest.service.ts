import { MAX_INGEST_BATCH, parseRecord, type IngestResult, type RequestRecord } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { isDataFault } from '../db/failure.ts'
import { storable } from '../db/storable.ts'
import { eventId, type FinishedEvent } from '../feed/event.ts'
import { badInput } from '../graphql/errors.ts'
import type { BindingStore } from '../sticky/binding.store.ts'
import { insertRecords } from './request.store.ts'

/** Who is told of records as they are stored. */
export interface FinishedListener {
  /** Resolves when all have been told. */
  publish(events: readonly FinishedEvent[]): Promise<void> | void
}

/** Takes records from proxies, each once however often it is sent, and tells the feed. */
export class IngestService {
  readonly #database: Database
  readonly #feed: FinishedListener
  readonly #bindings: BindingStore
  readonly #log: Logger
  readonly #listeners: ((result: IngestResult, ms: number) => void)[] = []

  constructor(database: Database, feed: FinishedListener, bindings: BindingStore, log: Logger) {
    this.#database = database
    this.#feed = feed
    this.#bindings = bindings
    this.#log = log
  }

  /** Calls back after each batch with what became of it, and how long that took. */
  onIngested(listener: (result: IngestResult, ms: number) => void): void {
    this.#listeners.push(listener)
  }

  async ingest(values: readonly unknown[]): Promise<IngestResult> {
    const began = performance.now()
    if (values.length > MAX_INGEST_BATCH) throw badInput('records', `must be at most ${MAX_INGEST_BATCH}`)
    const records = this.#parse(values)
    const stored = await this.#store(records)
    const refused = values.length - records.length + stored.refused
    const result = { stored: stored.count, duplicates: records.length - stored.refused - stored.count, refused }
    for (const listener of this.#listeners) listener(result, performance.now() - began)
    return result
  }

  #parse(values: readonly unknown[]): RequestRecord[] {
    const records: RequestRecord[] = []
    const reasons: string[] = []
    for (const value of values) {
      try {
        records.push(storable(parseRecord(value)))
      } catch (error) {
        reasons.push((error as Error).message)
      }
    }
    if (reasons.length > 0) this.#log.warn({ count: reasons.length, first: reasons[0] }, 'refused records')
    return records
  }

  /** A record that the database itself can't take costs a few statements more, and nothing to its neighbours. */
  async #store(records: readonly RequestRecord[]): Promise<{ count: number; refused: number }> {
    if (records.length === 0) return { count: 0, refused: 0 }
    try {
      const times = await insertRecords(this.#database.em(), JSON.stringify(records))
      // As soon as they are stored: if what comes after fails, they come again as duplicates.
      const events = finishedEvents(records, times)
      await this.#feed.publish(events)
      const stored = events.map(({ record }) => record)
      await this.#bindings.note(stored)
      return { count: stored.length, refused: 0 }
    } catch (error) {
      if (!isDataFault(error)) throw error
      if (records.length === 1) {
        this.#log.warn({ record: records[0]!.id, code: (error as { code?: string }).code }, 'refused a record')
        return { count: 0, refused: 1 }
      }
      const half = records.length >> 1
      const a = await this.#store(records.slice(0, half))
      const b = await this.#store(records.slice(half))
      return { count: a.count + b.count, refused: a.refused + b.refused }
    }
  }
}

/**
 * Of the records that were stored now.
 * @param times when that was, by their ids; each is deleted when it is found
 */
function finishedEvents(records: readonly RequestRecord[], times: Map<string, Date>): FinishedEvent[] {
  return records.flatMap((record) => {
    const request = record.id.toLowerCase()
    const at = times.get(request)
    times.delete(request)
    return at === undefined
      ? []
      : [{ kind: 'FINISHED', id: eventId({ time: at, kind: 'FINISHED', request }), at, record }]
  })
}
