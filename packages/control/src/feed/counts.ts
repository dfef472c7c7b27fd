/** What all feeds of this process have in common to tell. */
import type { BusCounts } from './bus.ts'

interface Counted {
  readonly counts: BusCounts
}

/** Of all of them together. */
export function sumOf(feeds: readonly Counted[]): BusCounts {
  return {
    subscribers: feeds.reduce((sum, { counts }) => sum + counts.subscribers, 0),
    dropped: feeds.reduce((sum, { counts }) => sum + counts.dropped, 0),
  }
}
