/**
 * Records on disk: a folder for each process, whose name says whose it is (see owner.ts), with files of records in it. What a
 * process has left that is dead is taken over by renaming its folder. What can't be used is set aside.
 */
import { mkdir, open, readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'

import type { Logger } from 'pino'

import { isOrphaned, newOwnName } from '../owner.ts'
import { putAside } from './spool-aside.ts'
import {
  describeFile,
  isUnfinished,
  readArray,
  readName,
  unfinishedName,
  writeArray,
  type SpoolFile,
} from './spool-file.ts'

/** What a file takes on disk is a multiple of this. */
const BLOCK_BYTES = 4_096
/** Of this process, not of a file. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'])

export class Spool {
  /** What waits on disk and not in memory, oldest first. */
  readonly backlog: SpoolFile[] = []
  readonly #root: string
  readonly #mostBytes: number
  readonly #log: Logger
  /** Where this process writes. */
  #own: string | null = null
  /** That, and what was taken over. */
  readonly #folders = new Set<string>()
  /** Others' that can't be taken over. */
  readonly #givenUp = new Set<string>()
  /** What lies in these, and the disk that it takes. */
  readonly #files = new Set<SpoolFile>()
  #bytes = 0

  /** @param dataDir the spool is a folder in it */
  constructor(dataDir: string, mostBytes: number, log: Logger) {
    this.#root = join(dataDir, 'spool')
    this.#mostBytes = mostBytes
    this.#log = log
  }

  /**
   * Writes a page's records. They outlive the machine when this resolves.
   * @param array without its closing bracket; left as it is until then
   * @throws Error if they can't be written, or there is no room for them
   */
  async write(page: number, count: number, array: Buffer): Promise<SpoolFile> {
    const size = sizeOnDisk(array.length + 1)
    if (this.#bytes + size > this.#mostBytes) throw new Error('MILLRACE_SPOOL_BYTES is used up')
    const folder = await this.#ownFolder()
    const file = describeFile(folder, page, count, array)
    const unfinished = join(this.#root, folder, unfinishedName(file))
    try {
      await writeArray(unfinished, array)
      await rename(unfinished, this.#pathOf(file))
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {})
      throw error
    }
    await this.#sync(folder)
    this.#count(file)
    return file
  }

  /** Puts a file with those that wait on disk alone. */
  add(file: SpoolFile): void {
    let at = this.backlog.length
    while (at > 0 && this.backlog[at - 1]!.name > file.name) at--
    this.backlog.splice(at, 0, file)
  }

  /**
   * Reads a file's array to where it belongs.
   * @returns null, or why it will never be readable: it can be set aside
   * @throws Error if that may pass
   */
  async read(file: SpoolFile, target: Buffer, at: number): Promise<string | null> {
    try {
      await readArray(this.#pathOf(file), file, target, at)
      return null
    } catch (error) {
      if (PASSING.has(codeOf(error))) throw error
      return (error as Error).message
    }
  }

  /** Deletes a file: its records were taken. What stays all the same is sent again by the next process, and counts once. */
  async remove(file: SpoolFile): Promise<void> {
    this.#leaveBacklog(file)
    try {
      await rm(this.#pathOf(file), { force: true })
      this.#uncount(file)
    } catch (error) {
      this.#log.error(`${this.#pathOf(file)} cannot be deleted: ${(error as Error).message}`)
    }
    await this.#tidy(file.folder)
  }

  /**
   * Gives a file up.
   * @returns whether its records are lost: false if another process has taken it over
   */
  async setAside(file: SpoolFile, reason: string): Promise<boolean> {
    this.#leaveBacklog(file)
    this.#uncount(file)
    if (await this.#isTaken(file.folder)) {
      this.#log.warn(`${this.#pathOf(file)} is in the hands of another process`)
      return false
    }
    const kept = await putAside(this.#root, file.folder, file.name)
    this.#log.error({ lost: file.count, kept }, `${this.#pathOf(file)} cannot be sent: ${reason}`)
    await this.#tidy(file.folder)
    return true
  }

  /** Shows that the owner of its folders lives. */
  async touch(): Promise<void> {
    const now = new Date()
    for (const folder of this.#folders) {
      try {
        await utimes(join(this.#root, folder), now, now)
      } catch (error) {
        if (codeOf(error) === 'ENOENT') this.#lose(folder)
      }
    }
  }

  /** Takes over what one process has left that is dead. Of several that try, one gets it. @returns its records; null: there is none */
  async adopt(): Promise<number | null> {
    for (const name of await this.#abandoned()) {
      const folder = newOwnName()
      const [from, to] = [join(this.#root, name), join(this.#root, folder)]
      try {
        await rename(from, to)
        return await this.#take(folder)
      } catch (error) {
        this.#folders.delete(folder)
        await rename(to, from).catch(() => {})
        if (codeOf(error) === 'ENOENT' || PASSING.has(codeOf(error))) continue
        this.#givenUp.add(name)
        this.#log.error(`${from} cannot be taken over: ${(error as Error).message}`)
      }
    }
    return null
  }

  /** What is left belongs to whoever comes next. */
  async close(): Promise<void> {
    for (const folder of this.#folders) await rmdir(join(this.#root, folder)).catch(() => {})
  }

  async #ownFolder(): Promise<string> {
    if (this.#own !== null) return this.#own
    const folder = newOwnName()
    await mkdir(join(this.#root, folder), { recursive: true, mode: 0o700 })
    this.#folders.add(folder)
    this.#own = folder
    return folder
  }

  async #abandoned(): Promise<string[]> {
    const found: string[] = []
    for (const name of await readdir(this.#root).catch(() => [])) {
      if (this.#givenUp.has(name)) continue
      const about = await stat(join(this.#root, name)).catch(() => null)
      if (about?.isDirectory() && isOrphaned(name, about.mtimeMs)) found.push(name)
    }
    return found
  }

  async #take(folder: string): Promise<number> {
    this.#folders.add(folder)
    // It is as old as its former owner's silence still.
    await this.touch()
    const found: SpoolFile[] = []
    for (const name of await readdir(join(this.#root, folder))) {
      const file = readName(folder, name)
      if (file !== null) found.push(file)
      else if (isUnfinished(name)) {
        await rm(join(this.#root, folder, name), { force: true }).catch(() => {})
      } else {
        await putAside(this.#root, folder, name)
        this.#log.error(`${join(this.#root, folder, name)} is no file of records`)
      }
    }
    if (found.length === 0) await this.#tidy(folder)
    // At once, so that none is sent before it is counted.
    for (const file of found) {
      this.#count(file)
      this.backlog.push(file)
    }
    this.backlog.sort((a, b) => (a.name < b.name ? -1 : 1))
    return found.reduce((sum, file) => sum + file.count, 0)
  }

  #count(file: SpoolFile): void {
    this.#files.add(file)
    this.#bytes += sizeOnDisk(file.bytes)
  }

  #leaveBacklog(file: SpoolFile): void {
    const at = this.backlog.indexOf(file)
    if (at >= 0) this.backlog.splice(at, 1)
  }

  #uncount(file: SpoolFile): void {
    if (this.#files.delete(file)) this.#bytes -= sizeOnDisk(file.bytes)
  }

  /** A folder that was taken over goes with its last file. */
  async #tidy(folder: string): Promise<void> {
    if (folder === this.#own || this.backlog.some((file) => file.folder === folder)) return
    this.#folders.delete(folder)
    await rmdir(join(this.#root, folder)).catch(() => {})
  }

  #lose(folder: string): void {
    this.#folders.delete(folder)
    if (this.#own === folder) this.#own = null
  }

  /** Whether another process has a folder that was this one's: it took this one for dead. Deleted, it all is gone. */
  async #isTaken(folder: string): Promise<boolean> {
    const [mine, root] = await Promise.all([exists(join(this.#root, folder)), exists(this.#root)])
    if (!mine) this.#lose(folder)
    return !mine && root
  }

  /** So that a file's name outlives the machine, too. Not every system lets a folder be synced. */
  async #sync(folder: string): Promise<void> {
    try {
      await using handle = await open(join(this.#root, folder), 'r')
      await handle.sync()
    } catch {}
  }

  #pathOf({ folder, name }: SpoolFile): string {
    return join(this.#root, folder, name)
  }
}

/** Rounded up, so that many small files are no way around the limit. */
function sizeOnDisk(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}
