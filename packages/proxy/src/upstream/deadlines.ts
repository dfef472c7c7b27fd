import { Slots, type Slotted } from '../slots.ts'

/**
 * The clock of all running upstream calls: one coarse timer instead of several a request. A deadline is met up to
 * {@link TICK_MS} late, never early.
 */
export interface Timed extends Slotted {
  /** Ends the call if its time is up. @param now milliseconds, as {@link Deadlines.now} */
  check(now: number): void
}

const TICK_MS = 50

export class Deadlines {
  /** `performance.now()` as of the last tick: precise enough for time-outs, and free to read. */
  now = performance.now()
  private readonly calls = new Slots<Timed>()
  private readonly timer = setInterval(() => this.tick(), TICK_MS).unref()

  add(call: Timed): void {
    this.calls.add(call)
  }

  remove(call: Timed): void {
    this.calls.remove(call)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private tick(): void {
    this.now = performance.now()
    this.calls.forEach((call) => call.check(this.now))
  }
}
