/** Puts on disk what waits for too long. */
import { setTimeout as delay } from 'node:timers/promises'

import type { Logger } from 'pino'

import type { Page, RecordQueue } from './queue.ts'
import type { Spool } from './spool.ts'

const LOOK_MS = 200
/** Records that have waited for so long are written: with the time until it is seen, not later than after a second. */
const SPILL_MS = 750
const TOUCH_MS = 1_000
/** Between two looks for what other processes have left. */
const ADOPT_MS = 5_000
/** After a failure. */
const AGAIN_MS = 1_000
/** Pages that have more are closed when they are written; smaller ones are written once more with what is added to them. */
const WORTH_A_FILE = 65_536

export class SpoolWriter {
  /** Whether nothing is taken at the moment: what is full is written at once. */
  failing = false
  private readonly queue: RecordQueue
  private readonly spool: Spool
  private readonly log: Logger
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private touchAt = 0
  private adoptAt = 0
  private writeAt = 0
  private broken = false

  constructor(queue: RecordQueue, spool: Spool, log: Logger) {
    this.queue = queue
    this.spool = spool
    this.log = log
  }

  start(): void {
    this.running = this.run()
  }

  /** Stops, having written all that waits in memory, if it can be. */
  async finish(): Promise<void> {
    this.stopping.abort()
    await this.running
    await this.write(() => true)
    await this.spool.close()
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      const now = performance.now()
      if (now >= this.writeAt) await this.write((page) => this.isDue(page, now))
      if (now >= this.touchAt) {
        this.touchAt = now + TOUCH_MS
        await this.spool.touch()
      }
      if (now >= this.adoptAt) await this.adopt(now)
      await delay(LOOK_MS, undefined, { signal }).catch(() => {})
    }
  }

  private isDue({ savedAt, sealed }: Page, now: number): boolean {
    return now - savedAt >= SPILL_MS || this.queue.crowded || (sealed && this.failing)
  }

  private async write(isDue: (page: Page) => boolean): Promise<void> {
    try {
      for (const page of this.queue.waiting().slice()) {
        if (page.count > saved(page) && isDue(page)) await this.save(page)
        this.releaseSaved(page)
      }
    } catch (error) {
      if (!this.broken)
        this.log.error(`records that wait cannot be written to disk, and stay in memory: ${(error as Error).message}`)
      this.broken = true
      this.writeAt = performance.now() + AGAIN_MS
    }
  }

  private async save(page: Page): Promise<void> {
    const { queue, spool } = this
    if (page.end >= WORTH_A_FILE) queue.seal(page)
    const content = queue.content(page)
    page.lent = true
    page.savedAt = performance.now()
    try {
      const file = await spool.write(page.number, page.count, content)
      const { file: former } = page
      page.file = file
      if (former !== null) await spool.remove(former)
      if (this.broken) this.log.info('records that wait can be written to disk again')
      this.broken = false
      if (!queue.waiting().includes(page)) await spool.remove(file)
    } finally {
      page.lent = false
    }
  }

  /** All but the next to be sent: that one may be on its way. */
  private releaseSaved(page: Page): void {
    const { file, sealed, count } = page
    const waiting = this.queue.waiting()
    if (file === null || !sealed || file.count < count || page === waiting[0] || !waiting.includes(page)) return
    this.queue.release(page)
    this.spool.add(file)
  }

  private async adopt(now: number): Promise<void> {
    const records = await this.spool.adopt()
    // One after the other, so that several processes have something of it.
    this.adoptAt = now + (records === null ? ADOPT_MS : LOOK_MS)
    if (records === null || records === 0) return
    this.queue.adopt(records)
    this.log.info({ records }, 'records that were left on disk are sent now')
  }
}

function saved({ file }: Page): number {
  return file === null ? 0 : file.count
}

/** Records that would be lost if the process ended now. */
export function unsaved(queue: RecordQueue): number {
  return queue.waiting().reduce((sum, page) => sum + page.count - saved(page), 0)
}
