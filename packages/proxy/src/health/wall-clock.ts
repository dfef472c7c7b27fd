/** A moment of `performance.now()` as people write it: RFC 3339 in UTC. @param now this moment by the same clock */
export function wallClock(moment: number, now: number): string {
  return new Date(Date.now() + moment - now).toISOString()
}
