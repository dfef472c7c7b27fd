/** Many messages at once, so that who reads them fast loses none. */
import { setImmediate as turn } from 'node:timers/promises'

/** Fewer than may wait for a subscriber: between portions, each has its turn to take what it was given. */
const PORTION = 50

export async function inPortions<T>(messages: readonly T[], tell: (message: T) => void): Promise<void> {
  for (let i = 0; i < messages.length; i += PORTION) {
    if (i > 0) await turn()
    for (const message of messages.slice(i, i + PORTION)) tell(message)
  }
}
