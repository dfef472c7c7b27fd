/** What becomes of a token's secret when another takes its place. */
import type { SnapshotSecret } from '@millrace/shared'

/** A token's secrets that are kept beside the one in use. */
const MOST_RETIRED = 5

/**
 * The retired secrets after a rotation, the last one first. Those that are good no more are dropped, but for the one just
 * replaced, so that its users are told what has happened; of too many, those that end soonest.
 * @param secret the one in use until now
 * @param now milliseconds since the epoch
 */
export function retire(
  retired: readonly SnapshotSecret[],
  secret: Pick<SnapshotSecret, 'prefix' | 'digest'>,
  now: number,
  graceSeconds: number,
): SnapshotSecret[] {
  const until = new Date(now + graceSeconds * 1_000).toISOString()
  const all = [{ prefix: secret.prefix, digest: secret.digest, until }, ...retired.filter((one) => endOf(one) > now)]
  const kept = new Set(all.toSorted((a, b) => endOf(b) - endOf(a)).slice(0, MOST_RETIRED))
  return all.filter((one) => kept.has(one))
}

function endOf({ until }: SnapshotSecret): number {
  return until === null ? Infinity : Date.parse(until)
}
