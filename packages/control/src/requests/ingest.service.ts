import { MAX_INGEST_BATCH, newId, parseRecord, type IngestResult, type RequestRecord } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { isDataFault } from '../db/failure.ts'
import { storable } from '../db/storable.ts'
import type { Bus } from '../feed/bus.ts'
import { badInput } from '../graphql/errors.ts'
import type { BindingStore } from '../sticky/binding.store.ts'
import { insertRecords } from './request.store.ts'

/** A record that was stored just now. */
export interface StoredRecord {
  readonly eventId: string
  readonly at: Date
  readonly record: RequestRecord
}

/** Takes records from proxies, each once however often it is sent, and tells the feed. */
export class IngestService {
  readonly #database: Database
  readonly #feed: Bus<StoredRecord>
  readonly #bindings: BindingStore
  readonly #log: Logger

  constructor(database: Database, feed: Bus<StoredRecord>, bindings: BindingStore, log: Logger) {
    this.#database = database
    this.#feed = feed
    this.#bindings = bindings
    this.#log = log
  }

  async ingest(values: readonly unknown[]): Promise<IngestResult> {
    if (values.length > MAX_INGEST_BATCH) throw badInput('records', `must be at most ${MAX_INGEST_BATCH}`)
    const records = this.#parse(values)
    const stored = await this.#store(records)
    const refused = values.length - records.length + stored.refused
    return { stored: stored.count, duplicates: records.length - stored.refused - stored.count, refused }
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
      const ids = await insertRecords(this.#database.em(), JSON.stringify(records))
      const stored = takeStored(records, ids)
      this.#publish(stored)
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

  /** As soon as they are stored: if what comes after them in their batch fails, they come again as duplicates. */
  #publish(records: readonly RequestRecord[]): void {
    for (const record of records) this.#feed.publish({ eventId: newId(), at: new Date(), record })
  }
}

/** Those that were stored now, each once. @param ids which they are; each is deleted when it is found */
function takeStored(records: readonly RequestRecord[], ids: Set<string>): RequestRecord[] {
  return records.filter(({ id }) => ids.delete(id.toLowerCase()))
}
