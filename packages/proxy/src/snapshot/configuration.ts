import { parseSnapshotInSteps } from '@millrace/shared'
import type { Logger } from 'pino'

import { compileInSteps } from './compile.ts'
import type { CompiledSnapshot } from './compiled.ts'
import type { CompileContext } from './connect-provider.ts'
import type { SnapshotFile } from './file.ts'
import { inSlices } from './in-slices.ts'

/**
 * The one place that says which configuration this proxy serves by. A new one is parsed, compiled and only then put
 * in place, by one assignment: what may fail comes before, what follows cannot.
 */
export class Configuration {
  current: CompiledSnapshot | null = null
  private readonly context: CompileContext
  private readonly file: SnapshotFile
  private readonly log: Logger
  private readonly maxStaleMs: number
  /** Whether the control plane is connected, and its newest snapshot the one that is served by. */
  private following = false
  /** How many connections to it have ended. */
  private connections = 0
  /** When that was last known to be so. */
  private followedAt = performance.now()

  /** @param maxStaleSeconds how long to serve without the control plane; undefined: without end */
  constructor(context: CompileContext, file: SnapshotFile, maxStaleSeconds: number | undefined) {
    this.context = context
    this.file = file
    this.log = context.log
    this.maxStaleMs = maxStaleSeconds === undefined ? Infinity : maxStaleSeconds * 1000
  }

  /** Takes what the control plane sent. A document that cannot be used is refused, and the one before serves on. */
  async take(document: unknown): Promise<void> {
    const { connections } = this
    if (!(await this.swap(document, 'from the control plane'))) {
      this.following = false
      return
    }
    // The connection may have been lost meanwhile.
    this.following = connections === this.connections
    this.heard()
    this.file.write(document)
  }

  /** Starts from the last good snapshot on disk, if there is one. */
  async restore(): Promise<void> {
    const document = await this.file.read()
    if (document !== null) await this.swap(document, 'from disk')
  }

  /** The control plane has shown that it is there. */
  heard(): void {
    if (this.following) this.followedAt = performance.now()
  }

  /** The connection to the control plane has ended. */
  lost(): void {
    this.connections++
    this.following = false
  }

  /** Whether it has been too long since what is served by was known to be the newest. */
  stale(): boolean {
    return !this.following && performance.now() - this.followedAt > this.maxStaleMs
  }

  private async swap(document: unknown, origin: string): Promise<boolean> {
    try {
      const snapshot = await inSlices(parseSnapshotInSteps(document))
      const next = await inSlices(compileInSteps(snapshot, this.context))
      const before = this.current
      this.current = next
      this.context.health.apply(snapshot, next.unopened)
      this.context.pools.retain(next.connections.flatMap(({ pooled }) => pooled ?? []))
      const message = `serving by a snapshot ${origin}`
      const numbers = { revision: next.revision, before: before?.revision }
      // The control plane is believed: its database may have been restored from a backup.
      if (before && next.revision < before.revision) this.log.warn(numbers, `${message}, of an earlier revision`)
      else this.log.info(numbers, message)
      return true
    } catch (error) {
      this.log.error({ serving: this.current?.revision }, `snapshot ${origin} refused: ${(error as Error).message}`)
      return false
    }
  }
}
