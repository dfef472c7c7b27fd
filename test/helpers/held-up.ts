/** An upstream whose bytes nobody takes any more. */
import type { SeenRequest } from './upstream.ts'
import { waitFor } from './wait.ts'

/** Waits until the provider's writes have stood still for a second, and returns how many bytes it had got rid of. */
export function stoodStill(seen: SeenRequest): Promise<number> {
  let last = -1
  return waitFor(
    () => {
      const still = seen.bytesSent === last && last > 0
      last = seen.bytesSent
      return still && last
    },
    { intervalMs: 1_000, timeoutMs: 30_000, what: 'the upstream to be held up' },
  )
}
