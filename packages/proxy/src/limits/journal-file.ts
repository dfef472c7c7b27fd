import { closeSync, futimesSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'

/** A file that is only ever added to, and readable by its owner alone. */
export class JournalFile {
  path: string
  /** Bytes. */
  size = 0
  readonly #fd: number
  readonly #inode: number

  /** @throws Error if it can't be made */
  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'wx', 0o600)
    this.#inode = statSync(path).ino
  }

  /** @throws Error if not all of it could be written */
  append(text: string): void {
    const bytes = Buffer.from(text)
    const written = writeSync(this.#fd, bytes)
    if (written < bytes.length) throw new Error('the disk is full')
    this.size += written
  }

  /** Shows that its owner lives. @throws Error if it is not where it was: somebody else took it over */
  touch(now: Date): void {
    if (statSync(this.path).ino !== this.#inode) throw new Error('the file is not there any more')
    futimesSync(this.#fd, now, now)
  }

  /** Takes another's place. @throws Error */
  moveTo(path: string): void {
    renameSync(this.path, path)
    this.path = path
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** Away with it. */
  discard(): void {
    this.close()
    rmSync(this.path, { force: true })
  }
}
