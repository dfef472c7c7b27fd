import type { Kept } from './recording.ts'
import type { SharedAnswer } from './shared-answer.ts'

/** A power of two. */
const BUCKETS = 1_024

interface Entry {
  readonly key: string
  readonly answer: SharedAnswer
  next: Entry | null
}

/**
 * The answers that are being fetched and can be joined, by what was asked for.
 *
 * Not a Map, for the reason why {@link Slots} is not a Set: entries come and go all the time.
 */
export class Flights {
  /** What their recordings hold. */
  readonly kept: Kept = { bytes: 0 }
  private readonly buckets: (Entry | null)[] = Array.from({ length: BUCKETS }, () => null)

  /** @param key a digest: its first characters are as good as random */
  find(key: string): SharedAnswer | null {
    let entry: Entry | null = this.buckets[bucketOf(key)]!
    while (entry !== null && entry.key !== key) entry = entry.next
    return entry && entry.answer
  }

  /** One that is there already under the key can't be found any more, but goes on for those who have joined it. */
  add(key: string, answer: SharedAnswer): void {
    const bucket = bucketOf(key)
    this.buckets[bucket] = { key, answer, next: this.buckets[bucket]! }
  }

  remove(key: string, answer: SharedAnswer): void {
    const bucket = bucketOf(key)
    let before: Entry | null = null
    let entry: Entry | null = this.buckets[bucket]!
    while (entry !== null && (entry.answer !== answer || entry.key !== key)) {
      before = entry
      entry = entry.next
    }
    if (entry === null) return
    if (before === null) this.buckets[bucket] = entry.next
    else before.next = entry.next
  }
}

function bucketOf(key: string): number {
  return (key.charCodeAt(0) * 31 + key.charCodeAt(1) * 961 + key.charCodeAt(2)) & (BUCKETS - 1)
}
