/** A time that passes, unless it is ended before. */
export class Pause {
  readonly over: Promise<void>
  private readonly resolve: () => void
  private readonly timer: NodeJS.Timeout

  constructor(milliseconds: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.resolve = resolve
    // Node's timers may be early by a part of a millisecond.
    this.timer = setTimeout(resolve, Math.ceil(milliseconds) + 1)
  }

  end(): void {
    clearTimeout(this.timer)
    this.resolve()
  }
}
