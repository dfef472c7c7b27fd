import type { Signature } from '../../canonical/content.ts'
import { NOWHERE, StreamPositions, type Positions } from './citations.ts'
import { PartialCall } from './partial-call.ts'

/** How one candidate of a streamed answer stands. */
export class Candidate {
  block = -1
  /** What the current block is of; null: something whole. */
  kind: 'text' | 'reasoning' | null = null
  calls = false
  /** In Gemini's words; null: it goes on. */
  finishReason: string | null = null
  readonly partial = new PartialCall()
  /** Of the text that came last: told once all is told that belongs to the text. */
  signature: Signature | null = null
  private texts = 0
  private readonly said = new StreamPositions()

  /** What citations point into: the text of the current block, if there is no other. */
  get positions(): Positions {
    return this.kind === 'text' && this.texts === 1 ? this.said : NOWHERE
  }

  add(text: string): void {
    this.said.add(text)
  }

  /** The block of a piece of text or of thought. */
  blockOf(kind: 'text' | 'reasoning'): number {
    if (this.kind !== kind) this.next(kind)
    return this.block
  }

  next(kind: 'text' | 'reasoning' | null): number {
    this.kind = kind
    if (kind === 'text') this.texts++
    return ++this.block
  }
}
