import { Slots, type Slotted } from '../slots.ts'

/** Something that is to end when its time is up. */
export interface Timed extends Slotted {
  /** Ends the call if its time is up. @param now as `performance.now()` */
  check(now: number): void
}

const TICK_MS = 50
/** A tick so much later than its time comes after a stall of this process, not of its upstreams. */
const STALL_MS = 5 * TICK_MS

/**
 * The clock of all running upstream calls: one coarse timer instead of several a request. A deadline is met up to two
 * ticks late, never early.
 */
export class Deadlines {
  /** When the next tick is due, as `performance.now()`: a time that is not over yet, and free to read. */
  soon = performance.now() + TICK_MS
  private waived = false
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
    const now = performance.now()
    // After a stall, what upstreams have sent meanwhile is read first; once, lest an overload keep deadlines from being met.
    this.waived = !this.waived && now - this.soon > STALL_MS
    this.soon = now + TICK_MS
    if (!this.waived) this.calls.forEach((call) => call.check(now))
  }
}
