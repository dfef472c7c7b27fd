/** Ids in the API's own form, for what its provider gave none. */
import type { StreamSaying } from '../../canonical/writer.ts'

export function messageIdOf({ id }: StreamSaying): string {
  return `msg_${id.replaceAll('-', '')}`
}

/** @param place of the call in its answer */
export function callIdOf({ id }: StreamSaying, place: number): string {
  return `toolu_${id.replaceAll('-', '')}_${place}`
}
