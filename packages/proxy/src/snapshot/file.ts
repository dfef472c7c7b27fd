import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Logger } from 'pino'

/** The last good snapshot on disk, from which a proxy starts when the control plane is away. Upstream keys in it are sealed. */
export class SnapshotFile {
  private readonly path: string
  private readonly log: Logger
  private writing: Promise<void> = Promise.resolve()
  private next: unknown = null

  constructor(dataDir: string, log: Logger) {
    this.path = join(dataDir, 'snapshot.json')
    this.log = log
  }

  /** @returns null if there is none that can be read */
  async read(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.path, 'utf8')) as unknown
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.log.warn(`the snapshot on disk cannot be read: ${(error as Error).message}`)
      return null
    }
  }

  /** Writes in the background, the newest only; the file is whole at any time. */
  write(document: unknown): void {
    const idle = this.next === null
    this.next = document
    if (idle) this.writing = this.writing.then(() => this.writeNext())
  }

  /** Waits for what is being written. */
  async flush(): Promise<void> {
    await this.writing
  }

  private async writeNext(): Promise<void> {
    const document = this.next
    this.next = null
    const temporary = `${this.path}.${process.pid}`
    try {
      await rm(temporary, { force: true })
      await writeFile(temporary, JSON.stringify(document), { mode: 0o600, flush: true })
      await rename(temporary, this.path)
    } catch (error) {
      this.log.error(`the snapshot could not be kept on disk: ${(error as Error).message}`)
    }
  }
}
