import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { newId } from '@millrace/shared'
import type { Logger } from 'pino'

import { removeLeftovers } from './leftovers.ts'
import { copyStart, linesOf } from './lines.ts'

/** How much the steps since the whole may take, beyond as much as the whole does, before a new whole is due. */
const ALLOWANCE_BYTES = 1_048_576
/** After a failure to write, a whole snapshot is wanted no sooner than this. */
const RETRY_MS = 60_000
/** How long a part waits for the disk to take the one before it: a slow disk is not flooded, and a stuck one stops nothing. */
const PATIENCE_MS = 1_000

/**
 * The last good snapshot on disk, from which a proxy starts when the control plane is away: a whole transfer and the steps
 * since, one part a line. What a killed process left unfinished at its end does not count. Upstream keys in it are sealed.
 * Each process writes a file of its own and puts it in the place of what was there, so that two never write into one; one
 * that finds another's in the place of its own has failed to keep it.
 */
export class SnapshotFile {
  private readonly path: string
  private readonly temporary: string
  private readonly log: Logger
  private readonly writes: boolean
  private work: Promise<void> = Promise.resolve()
  /** What was read, until it is gone on with. */
  private found: FileHandle | null = null
  /** What lies at {@link path}, once this process has put it there. */
  private kept: FileHandle | null = null
  /** What the transfer under way is written to. */
  private target: FileHandle | null = null
  /** So many bytes of what lies at {@link path} are what is served by; null: it is older than that. */
  private good: number | null = null
  /** Bytes of the whole transfer that the steps follow, of all those steps, and of the transfer that was added last. */
  private readonly bytes = { whole: 0, steps: 0, added: 0 }
  /** Where the transfer under way has come to. */
  private end = 0
  private failedAt: number | null = null

  /** @param writes whether this process keeps the file, of those that share the folder */
  constructor(dataDir: string, log: Logger, writes = true) {
    this.path = join(dataDir, 'snapshot.jsonl')
    // In containers that share the folder, process ids may be the same.
    this.temporary = `${this.path}.${newId()}`
    this.log = log
    this.writes = writes
  }

  /** The parts that were kept, in order, up to what can't be read. After each transfer that is taken, call {@link restored}. */
  async *read(): AsyncGenerator<unknown, void> {
    if (this.writes) await removeLeftovers(this.path, this.log)
    try {
      this.found = await open(this.path, 'r')
      for await (const line of linesOf(this.found)) {
        const part: unknown = JSON.parse(line.toString())
        this.end += line.length + 1
        yield part
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.log.warn(`the snapshot on disk cannot be read to its end: ${(error as Error).message}`)
    } finally {
      if (!this.writes) await this.leaveFound()
    }
  }

  /** What was read last is served by. @param whole whether that was a whole transfer */
  restored(whole: boolean): void {
    this.good = this.end
    this.bytes.added = this.end - this.bytes.whole - this.bytes.steps
    this.count(whole)
  }

  /** Whether a whole snapshot should be asked for, to begin the file anew. */
  get wantsWhole(): boolean {
    if (!this.writes) return false
    if (this.failedAt !== null) return performance.now() - this.failedAt > RETRY_MS
    return this.bytes.steps > this.bytes.whole + ALLOWANCE_BYTES
  }

  /** A transfer begins; one that was not {@link commit}ted is forgotten. */
  begin(whole: boolean): void {
    this.bytes.added = 0
    if (whole) this.failedAt = null
    this.queue(() => (whole ? this.beginWhole() : this.beginStep()))
  }

  /** Writes a part, in the background. Resolves when there is room for another. */
  async add(part: unknown): Promise<void> {
    if (!this.writes) return
    const before = this.work
    const line = Buffer.from(`${JSON.stringify(part)}\n`)
    this.bytes.added += line.length
    this.queue(() => this.write(line))
    await Promise.race([before, delay(PATIENCE_MS, undefined, { ref: false })])
  }

  /** The transfer that was added is served by. */
  commit(whole: boolean): void {
    this.count(whole)
    this.queue(() => (whole ? this.finishWhole() : this.finishStep()))
  }

  /** Waits for what is being written. Nothing may be written after it. */
  async close(): Promise<void> {
    await this.work
    if (this.target !== this.kept) await this.forget()
    await this.kept?.close()
    await this.leaveFound()
  }

  private count(whole: boolean): void {
    const { bytes } = this
    bytes.steps = whole ? 0 : bytes.steps + bytes.added
    if (whole) bytes.whole = bytes.added
  }

  /** One thing after another; what fails is logged, and makes the file wait for a whole transfer. */
  private queue(step: () => Promise<void>): void {
    if (this.writes) this.work = this.work.then(step).catch((error: unknown) => this.giveUp(error as Error))
  }

  private async giveUp(reason: Error): Promise<void> {
    this.log.error(`the snapshot could not be kept on disk: ${reason.message}`)
    this.failedAt = performance.now()
    this.good = null
    try {
      await this.forget()
    } catch {
      // A disk that fails; what it holds of a half-written file is tidied up some time later.
    }
  }

  private async forget(): Promise<void> {
    if (this.target !== null && this.target !== this.kept) {
      await this.target.close()
      await rm(this.temporary, { force: true })
    }
    this.target = null
  }

  private async beginWhole(): Promise<void> {
    await this.forget()
    await rm(this.temporary, { force: true })
    this.target = await open(this.temporary, 'ax', 0o600)
    this.end = 0
  }

  private async beginStep(): Promise<void> {
    await this.forget()
    if (this.good === null) return
    this.kept ??= await this.takeOver(this.good)
    await this.kept.truncate(this.good)
    this.target = this.kept
    this.end = this.good
  }

  private async write(line: Buffer): Promise<void> {
    if (this.target === null) return
    this.end += line.length
    await this.target.appendFile(line)
  }

  private async finishWhole(): Promise<void> {
    const { target } = this
    if (target === null) return
    await target.sync()
    await rename(this.temporary, this.path)
    await this.kept?.close()
    this.kept = target
    this.good = this.end
    await this.leaveFound()
  }

  private async finishStep(): Promise<void> {
    if (this.target === null) return
    await this.target.datasync()
    await this.expectInPlace(this.target)
    this.good = this.end
  }

  /** What was restored is gone on with in a copy. */
  private async takeOver(length: number): Promise<FileHandle> {
    await this.expectInPlace(this.found!)
    await rm(this.temporary, { force: true })
    await copyStart(this.found!, this.temporary, length)
    const copy = await open(this.temporary, 'a')
    await rename(this.temporary, this.path)
    await this.leaveFound()
    return copy
  }

  private async leaveFound(): Promise<void> {
    const { found } = this
    this.found = null
    await found?.close()
  }

  /** @throws Error if another file lies at {@link path} */
  private async expectInPlace(file: FileHandle): Promise<void> {
    const [ours, theirs] = await Promise.all([file.stat(), stat(this.path)])
    if (ours.ino !== theirs.ino || ours.dev !== theirs.dev)
      throw new Error('another process keeps its own in its place')
  }
}
