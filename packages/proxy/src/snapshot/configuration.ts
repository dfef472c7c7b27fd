import { parseSnapshotPart, type SnapshotPart, type SnapshotPosition } from '@millrace/shared'
import type { Logger } from 'pino'

import type { CompiledSnapshot } from './compiled.ts'
import type { CompileContext } from './connect-provider.ts'
import type { SnapshotFile } from './file.ts'
import { inSlices } from './in-slices.ts'
import { changeTokens, prepareInSteps, type Prepared } from './prepare.ts'
import { Transfer } from './transfer.ts'

/** What became of a part: its transfer is refused, needs more of them, or is served by. */
export type Taken = 'refused' | 'incomplete' | 'served'

/**
 * The one place that says which configuration this proxy serves by. A transfer is read and prepared part by part, and only
 * then put in place, at once: what may fail comes before, what follows cannot.
 */
export class Configuration {
  current: CompiledSnapshot | null = null
  private readonly context: CompileContext
  private readonly file: SnapshotFile
  private readonly log: Logger
  private readonly maxStaleMs: number
  private readonly listeners: ((now: CompiledSnapshot) => void)[] = []
  private transfer: Transfer | null = null
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

  /** Where the next transfer may begin; null: with a whole one only. */
  get position(): SnapshotPosition | null {
    if (this.current === null || this.file.wantsWhole) return null
    return { revision: this.current.revision, mark: this.current.mark }
  }

  /** Whether a whole transfer is wanted, though what is served by is the newest. */
  get wantsWhole(): boolean {
    return this.file.wantsWhole
  }

  /** Calls back after each change of what is served by, before another request is. */
  onSwap(listener: (now: CompiledSnapshot) => void): void {
    this.listeners.push(listener)
  }

  /**
   * Takes a part of what the control plane sends, one at a time. What cannot be used is refused, and the configuration
   * before serves on.
   */
  async take(document: unknown): Promise<Taken> {
    const { connections } = this
    const taken = await this.tryTake(document, 'from the control plane', true)
    if (taken === 'refused') this.following = false
    if (taken === 'served') {
      // The connection may have been lost meanwhile.
      this.following = connections === this.connections
      this.heard()
    }
    return taken
  }

  /** Starts from what is on disk, if there is anything: as far as it goes. */
  async restore(): Promise<void> {
    for await (const document of this.file.read()) {
      const whole = this.current === null
      const taken = await this.tryTake(document, 'from disk', false)
      if (taken === 'refused') break
      if (taken === 'served') this.file.restored(whole)
    }
    this.transfer = null
  }

  /** The control plane has shown that it is there. */
  heard(): void {
    if (this.following) this.followedAt = performance.now()
  }

  /** The connection to the control plane has ended, and with it the transfer that was under way. */
  lost(): void {
    this.connections++
    this.following = false
    this.transfer = null
  }

  /** Whether it has been too long since what is served by was known to be the newest. */
  stale(): boolean {
    return !this.following && performance.now() - this.followedAt > this.maxStaleMs
  }

  private async tryTake(document: unknown, origin: string, keep: boolean): Promise<Taken> {
    try {
      return await this.takePart(parseSnapshotPart(document), origin, keep)
    } catch (error) {
      this.transfer = null
      this.log.error({ serving: this.current?.revision }, `snapshot ${origin} refused: ${(error as Error).message}`)
      return 'refused'
    }
  }

  private async takePart(part: SnapshotPart, origin: string, keep: boolean): Promise<Taken> {
    const { current } = this
    const begins = this.transfer === null
    const transfer = this.transfer ?? new Transfer(part, current)
    this.transfer = transfer
    await inSlices(transfer.readInSteps(part))
    const whole = transfer.since === null
    if (keep && !transfer.isEmpty) {
      if (begins) this.file.begin(whole)
      await this.file.add(part)
    }
    if (!transfer.isComplete) return 'incomplete'
    this.transfer = null
    if (transfer.isEmpty) return 'served'
    this.swap(transfer, await inSlices(prepareInSteps(transfer, current, this.context)), origin)
    if (keep) this.file.commit(whole)
    return 'served'
  }

  private swap(transfer: Transfer, { next, tokensDue }: Prepared, origin: string): void {
    const before = this.current
    if (tokensDue) changeTokens(next.tokens, transfer)
    this.current = next
    if (transfer.replaces('routing')) {
      this.context.health.apply(transfer, next.unopened)
      this.context.pools.retain(next.connections.flatMap(({ pooled }) => pooled ?? []))
    }
    for (const listener of this.listeners) listener(next)
    const message = `serving by a snapshot ${origin}`
    const numbers = { revision: next.revision, before: before?.revision, tokens: next.tokens.size }
    // The control plane is believed: its database may have been restored from a backup.
    if (before && next.revision < before.revision) this.log.warn(numbers, `${message}, of an earlier revision`)
    else this.log.info(numbers, message)
  }
}
