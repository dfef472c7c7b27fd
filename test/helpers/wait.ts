/** Waiting for what will come to be, without a fixed sleep. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface WaitOptions {
  readonly timeoutMs?: number
  readonly intervalMs?: number
  /** Said when the time is up. */
  readonly what?: string
}

/**
 * Asks again and again until the answer is neither `undefined`, `null` nor `false`, and returns it.
 * A question that throws counts as "not yet"; its last error is the cause of the timeout's.
 */
export async function waitFor<T>(
  question: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = 30_000, intervalMs = 20, what = 'the condition' } = options
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const answer = await question()
      if (answer !== undefined && answer !== null && answer !== false) return answer
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause })
    await sleep(intervalMs)
  }
}

/** Of {@link within}. */
const TICK_MS = 20

/** Fails if the promise takes longer than it may. While the machine lets this process stand still, no time passes. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    let left = Math.ceil(timeoutMs / TICK_MS)
    timer = setInterval(() => {
      if (--left <= 0) reject(new Error(`${what} took longer than ${timeoutMs} ms`))
    }, TICK_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearInterval(timer)
  }
}

/** Thrown where {@link unhurried} is to try again. */
class TooLate extends Error {
  override readonly name = 'TooLate'
}

/**
 * For steps that must all be done within some time: tries with so much, and again with ever more where the machine was too
 * slow for it.
 * @param attempt anew each time; it calls `late` with whether its time was over, before it asserts what needs that time
 */
export async function unhurried(
  milliseconds: number,
  attempt: (milliseconds: number, late: (isLate: boolean) => void) => Promise<void>,
): Promise<void> {
  const late = (isLate: boolean): void => {
    if (isLate) throw new TooLate('the machine is too slow')
  }
  for (const factor of [1, 3, 10, 30]) {
    try {
      return await attempt(milliseconds * factor, late)
    } catch (error) {
      if (!(error instanceof TooLate) || factor === 30) throw error
    }
  }
}
