/**
 * Work of which one run is enough for all who ask before it begins. Runs follow each other; who asks while one is under way
 * gets the next, which sees what was there when they asked.
 */
export function joined<T>(work: () => Promise<T>): () => Promise<T> {
  let next: Promise<T> | null = null
  let running: Promise<unknown> = Promise.resolve()
  return () => {
    next ??= running.then(() => {
      next = null
      const run = work()
      running = run.catch(() => undefined)
      return run
    })
    return next
  }
}
