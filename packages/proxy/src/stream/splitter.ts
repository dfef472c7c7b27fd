/** Splits a stream of bytes into events, wherever packets cut it. Text is bytes as latin1. */
export interface Splitter {
  /** The text in which {@link start} and {@link end} mark the current event. */
  readonly text: string
  readonly start: number
  readonly end: number
  /** Bytes that wait for the end of their event. */
  readonly pendingLength: number
  /** Why nothing more can be read; null: all is well. */
  readonly fault: string | null
  /** Takes what came next; call {@link next} until it says false before the next push. */
  pushBytes(chunk: Buffer): void
  /** Moves to the next whole event, in the form of a server-sent one. False: there is none yet. */
  next(): boolean
  /** What came after the last whole event. */
  rest(): string
}
