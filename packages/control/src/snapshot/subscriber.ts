/** What one proxy is told: a transfer to what is current, and then one whenever there is something newer. */
import {
  partsOf,
  type SnapshotEvent,
  type SnapshotPart,
  type SnapshotPosition,
  type TransferContents,
} from '@millrace/shared'

import type { UsedReader } from './used.ts'

type Result = IteratorResult<SnapshotEvent, undefined>

const DONE = { done: true, value: undefined } as const

/** Where transfers come from. */
export interface TransferSource {
  /** Where a proxy stands that has everything. */
  readonly position: SnapshotPosition
  /** All that a proxy lacks, in one. */
  transferFrom(position: SnapshotPosition | null): TransferContents
}

/**
 * Nothing is queued for it: a transfer is put together when its first part is asked for, each part when it is itself, and it
 * is told to its end, whatever is newer by then. An iterator with its own `return`, as feed/mailbox.ts; `next` is to be called
 * only once it has answered.
 */
export class SnapshotSubscriber implements AsyncIterableIterator<SnapshotEvent, undefined> {
  readonly #source: TransferSource
  readonly #used: UsedReader
  readonly #onClose: () => void
  /** What the proxy has after the last transfer that was begun. */
  #position: SnapshotPosition | null
  /** The rest of the transfer under way; null before the first. */
  #parts: Iterator<SnapshotPart, void> | null = null
  #wake: (() => void) | null = null
  #closed = false

  /**
   * @param after where the proxy stands
   * @param onClose called once, when nothing more is wanted
   */
  constructor(source: TransferSource, after: SnapshotPosition | null, used: UsedReader, onClose: () => void) {
    this.#source = source
    this.#position = after
    this.#used = used
    this.#onClose = onClose
  }

  /** There is something newer. */
  wake(): void {
    this.#wake?.()
    this.#wake = null
  }

  /** The first answers even if the proxy lacks nothing: then it knows that. */
  async next(): Promise<Result> {
    while (!this.#closed) {
      const part = this.#parts?.next().value
      if (part) return { done: false, value: { revision: part.revision, document: await this.#used.fill(part) } }
      if (this.#parts === null || !samePosition(this.#position, this.#source.position)) this.#begin()
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return DONE
  }

  return(): Promise<Result> {
    if (!this.#closed) {
      this.#closed = true
      this.#parts = null
      this.#onClose()
      this.wake()
    }
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #begin(): void {
    const contents = this.#source.transferFrom(this.#position)
    this.#position = { revision: contents.revision, mark: contents.mark }
    this.#parts = partsOf(contents)
  }
}

function samePosition(a: SnapshotPosition | null, b: SnapshotPosition): boolean {
  return a !== null && a.revision === b.revision && a.mark === b.mark
}
