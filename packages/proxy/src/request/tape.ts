/** An answer that can be played to several clients: one that is stored, or that is still coming. Text is bytes as latin1. */
import type { StoredAnswer } from '../cache/answer.ts'
import type { Failure } from './failure.ts'

export interface Tape {
  /** Whether there is an answer to begin with. What follows means nothing before. */
  readonly begun: boolean
  readonly status: number
  /** The provider's, as StoredAnswer has them. */
  readonly headers: readonly string[]
  readonly stream: boolean
  /** Parts so far; each of a stream is one event or more, whole. */
  readonly length: number
  /** Whether there are no more parts to come. */
  readonly ended: boolean
  /** Whether what there is says all, though its end may be still to come. */
  readonly done: boolean
  /** Why there are none, where the answer is not whole. */
  readonly failure: Failure | null
  part(index: number): string
  /** Whether a part only tells usage, for those who asked for it. */
  isUsage(index: number): boolean
  /** When a part came, in milliseconds after the first. */
  at(index: number): number
}

/** A stored answer, from its beginning. */
export class StoredTape implements Tape {
  readonly begun = true
  readonly ended = true
  readonly done = true
  readonly failure = null
  private readonly answer: StoredAnswer

  constructor(answer: StoredAnswer) {
    this.answer = answer
  }

  get status(): number {
    return this.answer.status
  }

  get headers(): readonly string[] {
    return this.answer.headers
  }

  get stream(): boolean {
    return this.answer.stream !== null
  }

  get length(): number {
    return this.answer.stream === null ? 1 : this.answer.stream.ends.length
  }

  part(index: number): string {
    const { body, stream } = this.answer
    return stream === null ? body : body.slice(index === 0 ? 0 : stream.ends[index - 1], stream.ends[index])
  }

  isUsage(index: number): boolean {
    return this.answer.stream?.usagePart === index
  }

  at(index: number): number {
    return this.answer.stream?.at[index] ?? 0
  }
}
