import { setTimeout as delay } from 'node:timers/promises'

import { INGEST_RECORDS_MUTATION, MAX_INGEST_BATCH, type IngestResult } from '@millrace/shared'
import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'
import type { ControlClient } from '../control/client.ts'
import { RecordQueue } from './queue.ts'

/** Bytes of records kept while the control plane is away, in all processes of a proxy; a record has about a thousand. */
export const MOST_QUEUED = 33_554_432
/** How long the last records may take to be stored before the process ends. */
export const FLUSH_MS = 5_000

/** Records gather for this long, so that one call carries many; far less than the 250 ms in which the feed must show them. */
const GATHER_MS = 50
/** Fewer than these wait to be joined by others: a call costs as much as many records. */
const WORTH_A_CALL = 500

/** A queue of records that stand in the bodies of calls as they come. @param mostBytes what may wait in it */
export function createRecordQueue(mostBytes: number): RecordQueue {
  const before = `{"query":${JSON.stringify(INGEST_RECORDS_MUTATION)},"variables":{"records":[`
  return new RecordQueue(mostBytes, MAX_INGEST_BATCH, before, ']}}')
}

/** Sends queued records to the control plane, oldest first, again until they are taken; control stores each once. */
export class RecordSender {
  private readonly queue: RecordQueue
  private readonly control: ControlClient
  private readonly log: Logger
  private readonly stopping = new AbortController()
  /** Ends the call under way, too. */
  private readonly cutOff = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private failing = false
  private overflowReported = 0

  constructor(queue: RecordQueue, control: ControlClient, log: Logger) {
    this.queue = queue
    this.control = control
    this.log = log
  }

  /** Sends in the background until {@link finish}. */
  start(): void {
    this.running = this.run()
  }

  /** Sends what is left, and stops. What could not be sent within that time is lost, counted and logged. */
  async finish(withinMs: number): Promise<void> {
    this.stopping.abort()
    const timer = setTimeout(() => this.cutOff.abort(), withinMs)
    await this.running
    while (this.queue.length > 0 && !this.cutOff.signal.aborted) await this.trySend(200)
    clearTimeout(timer)
    const lost = this.queue.length
    if (lost === 0) return
    this.queue.dropped += lost
    this.log.error({ lost }, 'records could not be sent before the end')
  }

  private async run(): Promise<void> {
    const backoff = new Backoff(100, 2_000)
    const { signal } = this.stopping
    while (!signal.aborted) {
      let sent: boolean
      do sent = await this.trySend(0)
      while (sent && this.queue.length >= WORTH_A_CALL && !signal.aborted)
      if (sent) backoff.reset()
      if (this.queue.overflowed > this.overflowReported) {
        this.log.error({ overflowed: this.queue.overflowed }, 'records were dropped: the queue is full')
        this.overflowReported = this.queue.overflowed
      }
      await delay(sent ? GATHER_MS : backoff.next(), undefined, { signal }).catch(() => {})
    }
  }

  /** @returns whether the oldest batch was taken, or there is none; after a failure, having waited so long */
  private async trySend(waitMs: number): Promise<boolean> {
    try {
      await this.sendBatch()
      if (this.failing) this.log.info('records are being taken again')
      this.failing = false
      return true
    } catch (error) {
      if (!this.failing) this.log.warn({ queued: this.queue.length }, `records wait: ${(error as Error).message}`)
      this.failing = true
      await delay(waitMs)
      return false
    }
  }

  private async sendBatch(): Promise<void> {
    const batch = this.queue.batch()
    if (!batch) return
    const { ingestRecords: result } = await this.control.send<{ ingestRecords: IngestResult }>(
      batch,
      this.cutOff.signal,
    )
    this.queue.remove()
    if (result.refused > 0) {
      this.queue.dropped += result.refused
      this.log.error({ refused: result.refused }, 'the control plane refused records as malformed')
    }
  }
}
