/**
 * Quantiles of times from counts in buckets whose bounds grow by a fixed ratio, so that those of several proxies can be
 * added (as in DDSketch: Masson, Rim, Lee, VLDB 2019). A quantile is off by at most 5 %.
 */

/** One is 1.1 times as wide as the one before, from 0.1 ms to 41 hours. */
export const SKETCH_BUCKETS = 223
const FIRST_MS = 0.1
const LOG_RATIO = Math.log(1.1)

/** The bucket that a time falls into. */
export function bucketOf(milliseconds: number): number {
  if (!(milliseconds > FIRST_MS)) return 0
  return Math.min(SKETCH_BUCKETS - 1, 1 + Math.floor(Math.log(milliseconds / FIRST_MS) / LOG_RATIO))
}

/** A bucket's middle, in milliseconds. */
function middleOf(bucket: number): number {
  return bucket === 0 ? FIRST_MS : FIRST_MS * Math.exp((bucket - 0.5) * LOG_RATIO)
}

/** How many of each bucket were counted. */
export type BucketCounts = Float64Array

/**
 * A sketch as bytes: for each bucket its number (2 bytes) and its count (4 bytes), big-endian, in any order. A bucket may come
 * more than once, so that sketches are added by putting them one after the other.
 */
const PAIR_BYTES = 6

/** What a sketch has counted. What is no whole pair at its end, or no bucket, counts as nothing. */
export function countsOf(sketch: Uint8Array): BucketCounts {
  const counts = new Float64Array(SKETCH_BUCKETS)
  const view = new DataView(sketch.buffer, sketch.byteOffset, sketch.byteLength)
  for (let at = 0; at + PAIR_BYTES <= sketch.byteLength; at += PAIR_BYTES) {
    const bucket = view.getUint16(at)
    if (bucket < SKETCH_BUCKETS) counts[bucket]! += view.getUint32(at + 2)
  }
  return counts
}

/**
 * The time below which a share `q` of what was counted lies; null of nothing.
 * @param counts pairs of a bucket and its count, in any order; a bucket may come more than once
 */
export function quantile(counts: Iterable<readonly [bucket: number, count: number]>, q: number): number | null {
  const sum = new Float64Array(SKETCH_BUCKETS)
  for (const [bucket, count] of counts) sum[bucket]! += count
  return quantileOf(sum, q)
}

/** As {@link quantile}. */
export function quantileOf(counts: BucketCounts, q: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const rank = Math.min(total, Math.max(1, Math.ceil(q * total)))
  let below = 0
  for (let bucket = 0; bucket < SKETCH_BUCKETS; bucket++) {
    below += counts[bucket]!
    if (below >= rank) return middleOf(bucket)
  }
  return null
}
