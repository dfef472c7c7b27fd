import { setImmediate as turn } from 'node:timers/promises'

/** How long requests may have to wait for work that nobody waits for. */
const SLICE_MS = 5

/** Does work in steps, and lets requests be served in between. */
export async function inSlices<T>(steps: Generator<void, T>): Promise<T> {
  let until = performance.now() + SLICE_MS
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (performance.now() < until) continue
    await turn()
    until = performance.now() + SLICE_MS
  }
}
