/** Work that has to be done again and again, whoever asks for it or nobody. */
import type { Logger } from 'pino'

export interface ChoreOptions {
  /** What it does, for the log: `keep up the database`. */
  readonly what: string
  readonly everyMs: number
}

export class Chore {
  readonly #work: (signal: AbortSignal) => Promise<void>
  readonly #what: string
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  readonly #stop = new AbortController()
  #running: Promise<void> | null = null
  /** Whether it was in vain the last time: said once, not each time. */
  #failing = false

  /** Begins, and goes on until {@link close}. @param work is told by the signal that it should end */
  constructor(work: (signal: AbortSignal) => Promise<void>, { what, everyMs }: ChoreOptions, log: Logger) {
    this.#work = work
    this.#what = what
    this.#log = log
    this.#timer = setInterval(() => void (this.#running ??= this.#run()), everyMs).unref()
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      await this.#work(this.#stop.signal)
      this.#failing = false
    } catch (error) {
      if (!this.#failing && !this.#stop.signal.aborted)
        this.#log.warn({ reason: (error as Error).message }, `cannot ${this.#what}`)
      this.#failing = true
    } finally {
      this.#running = null
    }
  }
}
