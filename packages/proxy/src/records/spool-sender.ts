/** Sends what waits on disk, oldest first, beside what comes in: neither waits for the other. */
import { setTimeout as delay } from 'node:timers/promises'

import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'
import { CALL_BEGINS, CALL_ENDS, isHopeless, mayBeRefusal, type RecordCalls } from './calls.ts'
import type { RecordQueue } from './queue.ts'
import type { SpoolFile } from './spool-file.ts'
import type { Spool } from './spool.ts'

const LOOK_MS = 200
const LEAST_PAUSE_MS = 10
/** The array's opening bracket is the file's, too. */
const ARRAY_AT = CALL_BEGINS.length - 1

export class SpoolSender {
  private readonly queue: RecordQueue
  private readonly spool: Spool
  private readonly calls: RecordCalls
  private readonly log: Logger
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  /** The next to be sent: the oldest, unless that was refused just now. */
  private next = 0
  /** Records since something waited here. */
  private sent = 0
  /** The bodies of its calls; memory outside the heap is not to come and go with each. */
  private buffer: Buffer | null = null

  constructor(queue: RecordQueue, spool: Spool, calls: RecordCalls, log: Logger) {
    this.queue = queue
    this.spool = spool
    this.calls = calls
    this.log = log
  }

  start(): void {
    this.running = this.run()
  }

  /** Stops at once. What has not been taken stays on disk. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    const backoff = new Backoff(100, 1_000)
    const { signal } = this.stopping
    while (!signal.aborted) {
      const file = this.spool.backlog[this.next] ?? this.spool.backlog[0]
      const began = performance.now()
      let pause = LOOK_MS
      if (file === undefined) this.rest()
      else if (await this.send(file)) {
        backoff.reset()
        // For as long as it took, so that at least half of control's time is left to what comes in.
        pause = Math.max(LEAST_PAUSE_MS, performance.now() - began)
      } else pause = backoff.next()
      await delay(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** @returns whether it waits no more */
  private async send(file: SpoolFile): Promise<boolean> {
    try {
      const length = ARRAY_AT + file.bytes - 1 + CALL_ENDS.length
      const body = this.bufferFor(length).subarray(0, length)
      const unreadable = await this.spool.read(file, this.buffer!, ARRAY_AT)
      if (unreadable !== null) return await this.setAside(file, unreadable)
      body.write(CALL_BEGINS.slice(0, -1))
      body.write(CALL_ENDS, length - CALL_ENDS.length)
      await this.calls.bring(file, body, this.stopping.signal)
    } catch (error) {
      this.buffer = null
      if (isHopeless(file)) return this.setAside(file, `the control plane takes others: ${(error as Error).message}`)
      if (mayBeRefusal(error)) this.next = (this.next + 1) % this.spool.backlog.length
      return false
    }
    this.next = 0
    this.sent += file.count
    this.queue.done(file.page, file.count)
    await this.spool.remove(file)
    return true
  }

  private rest(): void {
    this.buffer = null
    if (this.sent > 0) this.log.info({ records: this.sent }, 'all records that waited on disk have been taken')
    this.sent = 0
  }

  private async setAside(file: SpoolFile, reason: string): Promise<true> {
    if (await this.spool.setAside(file, reason)) this.queue.dropped += file.count
    this.queue.done(file.page, file.count)
    return true
  }

  private bufferFor(length: number): Buffer {
    if (this.buffer === null || this.buffer.length < length)
      this.buffer = Buffer.allocUnsafeSlow(Math.max(length, 600_000))
    return this.buffer
  }
}
