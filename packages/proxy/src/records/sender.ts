import { setTimeout as delay } from 'node:timers/promises'

import { MAX_INGEST_BATCH, type Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'
import type { ControlClient } from '../control/client.ts'
import { CALL_BEGINS, CALL_ENDS, isHopeless, mayBeRefusal, RecordCalls } from './calls.ts'
import { RecordQueue, type Page } from './queue.ts'
import { SpoolSender } from './spool-sender.ts'
import { SpoolWriter, unsaved } from './spool-writer.ts'
import { Spool } from './spool.ts'

/** Bytes of records kept in memory while the control plane is away, in all processes of a proxy; a record has about a thousand. */
export const MOST_QUEUED = 33_554_432
/** Each has so much at least: room for a batch that is on its way, for one that is written to disk, and for what comes in. */
const LEAST_QUEUED = 2_097_152
/** How long the last records may take to be stored before the process ends. */
export const FLUSH_MS = 5_000

/** Records gather for this long, so that one call carries many; far less than the 250 ms in which the feed must show them. */
const GATHER_MS = 50
/** Fewer than these wait to be joined by others: a call costs as much as many records. */
const WORTH_A_CALL = 500
/** The same for what is under way on disk, and then for what is written. Node ends only once its last call to a disk has returned. */
const WRITE_MS = 5_000
/** How long others may take with what comes before a batch. */
const BEFORE_BATCH_MS = 100
/** A batch that may be refused itself lets others go first after so many calls. */
const TRIES = 3

/** A queue of records that stand in the bodies of calls as they come. @param mostBytes what may wait in it */
export function createRecordQueue(mostBytes: number): RecordQueue {
  return new RecordQueue(Math.max(mostBytes, LEAST_QUEUED), MAX_INGEST_BATCH, CALL_BEGINS, CALL_ENDS)
}

/**
 * Sends queued records to the control plane again until they are taken; control stores each once. What waits for long does so
 * on disk, where there is room, and is sent beside what comes in.
 */
export class RecordSender {
  /** What is to be with control before a batch of records. It holds nothing up for long, nor by failing. */
  beforeBatch: (() => Promise<void>) | null = null
  private readonly queue: RecordQueue
  private readonly log: Logger
  private readonly calls: RecordCalls
  private readonly spool: Spool | null
  private readonly spoolWriter: SpoolWriter | null
  private readonly spoolSender: SpoolSender | null
  private readonly stopping = new AbortController()
  /** Ends the call under way, too. */
  private readonly cutOff = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private removing: Promise<unknown> = Promise.resolve()
  private failing = false
  private overflowReported = 0

  constructor(queue: RecordQueue, control: ControlClient, settings: Settings, log: Logger) {
    this.queue = queue
    this.log = log
    this.calls = new RecordCalls(control, log, (count) => {
      queue.dropped += count
    })
    const { MILLRACE_DATA_DIR: dataDir, MILLRACE_SPOOL_BYTES: bytes } = settings
    this.spool = bytes === 0 ? null : new Spool(dataDir, bytes, log)
    this.spoolWriter = this.spool && new SpoolWriter(queue, this.spool, log)
    this.spoolSender = this.spool && new SpoolSender(queue, this.spool, this.calls, log)
  }

  /** Sends in the background until {@link finish}. */
  start(): void {
    this.running = this.run()
    this.spoolWriter?.start()
    this.spoolSender?.start()
  }

  /**
   * Sends what is left in memory, and stops. What could not be sent within that time waits on disk for the next process; what
   * could not be written either is lost, counted and logged.
   */
  async finish(withinMs: number): Promise<void> {
    const { queue, log, spoolWriter } = this
    this.stopping.abort()
    const timer = setTimeout(() => this.cutOff.abort(), withinMs)
    const stopped = settled(async () => this.spoolSender?.stop(), WRITE_MS)
    await this.running
    while (queue.inMemory > 0 && !this.cutOff.signal.aborted) if (!(await this.trySend())) await delay(200)
    clearTimeout(timer)
    await stopped
    if (spoolWriter !== null)
      await settled(async () => {
        await this.removing
        await spoolWriter.finish()
      }, WRITE_MS)
    const lost = unsaved(queue)
    const waiting = queue.length - lost
    queue.dropped += lost
    if (lost > 0) log.error({ lost }, 'records could not be sent before the end')
    if (waiting > 0) log.warn({ waiting }, 'records wait on disk: the next process with this data folder sends them')
  }

  private async run(): Promise<void> {
    const { queue, log } = this
    const backoff = new Backoff(100, 1_000)
    const { signal } = this.stopping
    while (!signal.aborted) {
      let sent: boolean
      do sent = await this.trySend()
      while (sent && queue.inMemory >= WORTH_A_CALL && !signal.aborted)
      if (sent) backoff.reset()
      if (queue.overflowed > this.overflowReported) {
        log.error({ overflowed: queue.overflowed }, 'records were dropped: the queue is full')
        this.overflowReported = queue.overflowed
      }
      await delay(sent ? GATHER_MS : backoff.next(), undefined, { signal }).catch(() => {})
    }
  }

  /** @returns whether the next batch waits no more, or there is none */
  private async trySend(): Promise<boolean> {
    const page = this.queue.waiting()[0]
    if (page === undefined) return true
    try {
      await this.send(page)
      if (this.failing) this.log.info('records are being taken again')
      this.fails(false)
      return true
    } catch (error) {
      if (!this.failing) this.log.warn({ queued: this.queue.length }, `records wait: ${(error as Error).message}`)
      this.fails(true)
      return this.putOff(page, error)
    }
  }

  private async send(page: Page): Promise<void> {
    const { queue, spool } = this
    const body = queue.body(page)
    if (this.beforeBatch !== null) await settled(this.beforeBatch, BEFORE_BATCH_MS)
    await this.calls.bring(page, body, this.cutOff.signal)
    queue.taken(page)
    // A disk that does not answer holds up no other batch.
    if (page.file !== null) this.removing = Promise.all([this.removing, spool?.remove(page.file)])
  }

  /** One batch that is refused must not hold up all others. @returns whether it waits no more */
  private putOff(page: Page, error: unknown): boolean {
    const { queue } = this
    if (isHopeless(page) && page.file === null) {
      queue.taken(page)
      queue.dropped += page.count
      this.log.error({ lost: page.count }, `records cannot be sent: ${(error as Error).message}`)
      return true
    }
    if (mayBeRefusal(error) && page.failures >= TRIES) queue.defer(page)
    return false
  }

  private fails(failing: boolean): void {
    this.failing = failing
    if (this.spoolWriter !== null) this.spoolWriter.failing = failing
  }
}

/** Resolves when something has been done, or has failed, or takes too long. */
async function settled(work: () => Promise<void>, withinMs: number): Promise<void> {
  try {
    await Promise.race([work(), delay(withinMs, undefined, { ref: false })])
  } catch {}
}
