import { parseSnapshot } from '@millrace/shared'
import type { Logger } from 'pino'

import { compile } from './compile.ts'
import type { CompiledSnapshot } from './compiled.ts'
import type { CompileContext } from './connect-provider.ts'
import type { SnapshotFile } from './file.ts'

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
  private heardAt = performance.now()

  /** @param maxStaleSeconds how long to serve without the control plane; undefined: without end */
  constructor(context: CompileContext, file: SnapshotFile, maxStaleSeconds: number | undefined) {
    this.context = context
    this.file = file
    this.log = context.log
    this.maxStaleMs = maxStaleSeconds === undefined ? Infinity : maxStaleSeconds * 1000
  }

  /** Takes what the control plane sent. A document that cannot be used is refused, and the one before serves on. */
  take(document: unknown): void {
    if (this.swap(document, 'from the control plane')) this.file.write(document)
  }

  /** Starts from the last good snapshot on disk, if there is one. */
  async restore(): Promise<void> {
    const document = await this.file.read()
    if (document !== null) this.swap(document, 'from disk')
  }

  /** The control plane was heard of: what is served by is not stale. */
  heard(): void {
    this.heardAt = performance.now()
  }

  stale(): boolean {
    return this.maxStaleMs !== Infinity && performance.now() - this.heardAt > this.maxStaleMs
  }

  private swap(document: unknown, origin: string): boolean {
    try {
      const next = compile(parseSnapshot(document), this.context)
      const before = this.current
      this.current = next
      this.context.pools.retain(next.providers.flatMap(({ connection }) => connection.pooled ?? []))
      this.log.info({ revision: next.revision, before: before?.revision }, `serving by a snapshot ${origin}`)
      return true
    } catch (error) {
      this.log.error({ serving: this.current?.revision }, `snapshot ${origin} refused: ${(error as Error).message}`)
      return false
    }
  }
}
