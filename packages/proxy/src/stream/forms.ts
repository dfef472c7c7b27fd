/**
 * A whole answer as its dialect would have streamed it, without knowing any dialect. Text is bytes as latin1, and its parts
 * are as those of a stored stream.
 */
export interface StreamedForm {
  /** All its events, the one that ends it included. */
  readonly events: string
  /** Where each part ends in {@link events}; the last at its end. */
  readonly ends: readonly number[]
  /** Which part is the event that only tells usage; -1: none is. */
  readonly usagePart: number
}
