import { setTimeout as delay } from 'node:timers/promises'

import { INGEST_RECORDS_MUTATION, type IngestResult } from '@millrace/shared'
import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'
import type { ControlClient } from '../control/client.ts'
import type { RecordQueue } from './queue.ts'

/** Records gather for this long, so that one call carries many; far less than the 250 ms in which the feed must show them. */
const GATHER_MS = 50
/** Fewer than these wait to be joined by others: a call costs as much as many records. */
const WORTH_A_CALL = 500

const VARIABLES_BEFORE = Buffer.from('{"records":[')
const VARIABLES_AFTER = Buffer.from(']}')

/** Sends queued records to the control plane, oldest first, again until they are taken; control stores each once. */
export class RecordSender {
  private readonly queue: RecordQueue
  private readonly control: ControlClient
  private readonly log: Logger
  private readonly stopping = new AbortController()

  constructor(queue: RecordQueue, control: ControlClient, log: Logger) {
    this.queue = queue
    this.control = control
    this.log = log
  }

  /** Returns when {@link stop} was called and the call under way has ended. */
  async run(): Promise<void> {
    const backoff = new Backoff(100, 2_000)
    let failing = false
    let reportedDrops = 0
    const { signal } = this.stopping
    while (!signal.aborted) {
      let wait = GATHER_MS
      try {
        do await this.sendBatch()
        while (this.queue.length >= WORTH_A_CALL && !signal.aborted)
        if (failing) this.log.info('records are being taken again')
        failing = false
        backoff.reset()
      } catch (error) {
        if (!failing) this.log.warn({ queued: this.queue.length }, `records wait: ${(error as Error).message}`)
        failing = true
        wait = backoff.next()
      }
      if (this.queue.dropped > reportedDrops) {
        this.log.error({ dropped: this.queue.dropped }, 'records were dropped: the queue is full')
        reportedDrops = this.queue.dropped
      }
      await delay(wait, undefined, { signal }).catch(() => {})
    }
  }

  /** Ends {@link run} after what it is doing. */
  stop(): void {
    this.stopping.abort()
  }

  /** Sends what is left, before the process ends. What could not be sent by then is lost, and logged. */
  async flush(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs
    while (this.queue.length > 0 && performance.now() < until) {
      await this.sendBatch().catch(() => delay(200))
    }
    if (this.queue.length > 0) this.log.error({ lost: this.queue.length }, 'records could not be sent before the end')
  }

  private async sendBatch(): Promise<void> {
    const batch = this.queue.batch()
    if (!batch) return
    const { ingestRecords: result } = await this.control.execute<{ ingestRecords: IngestResult }>(
      INGEST_RECORDS_MUTATION,
      Buffer.concat([VARIABLES_BEFORE, batch.bytes, VARIABLES_AFTER]),
    )
    this.queue.remove()
    if (result.refused > 0) {
      this.queue.dropped += result.refused
      this.log.error({ refused: result.refused }, 'the control plane refused records as malformed')
    }
  }
}
