/** A child process that is kept running. Must never know what it serves. */
import { fork, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** After so long in service, an end is a new misfortune and not the last one's sequel. */
const STEADY_MS = 60_000

export interface ServiceOptions {
  /** As it is called in what the launcher prints. */
  readonly name: string
  readonly entry: URL
  readonly execArgv?: readonly string[]
  /** Over the launcher's own; read at each start. */
  readonly env: Readonly<Record<string, string>>
  /** Until SIGKILL follows SIGTERM. */
  readonly stopTimeoutMs: number
}

/** What a service sends over IPC once it listens. */
export interface Ready {
  readonly type: 'ready'
  readonly url: string
}

/** It ended before it was ready, and has said why itself. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly'
}

export class Service<R extends Ready = Ready> {
  readonly #options: ServiceOptions
  readonly #stopping = new AbortController()
  #child: ChildProcess | null = null
  #ended: Promise<string> = Promise.resolve('not started')

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  /**
   * Resolves once it serves; from then on it is started again whenever it ends.
   * @throws EndedEarly
   */
  async start(): Promise<R> {
    if (this.#stopping.signal.aborted) throw new EndedEarly(`${this.#options.name} was stopped before it was started`)
    const child = this.#spawn()
    const ready = await Promise.race([firstReady<R>(child), this.#ended])
    if (typeof ready === 'string') throw new EndedEarly(`${this.#options.name} ended before it was ready (${ready})`)
    void this.#keepRunning()
    return ready
  }

  /** SIGTERM, then SIGKILL if it takes too long. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const timer = setTimeout(() => this.kill(), this.#options.stopTimeoutMs)
    this.#child?.kill('SIGTERM')
    await this.#ended
    clearTimeout(timer)
  }

  /** Ends it at once, for good. */
  kill(): void {
    this.#stopping.abort()
    this.#child?.kill('SIGKILL')
  }

  #spawn(): ChildProcess {
    const child = fork(fileURLToPath(this.#options.entry), {
      execArgv: [...(this.#options.execArgv ?? [])],
      env: { ...process.env, ...this.#options.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // A process group of its own: ctrl-C reaches the launcher alone, which stops its services in their order.
      detached: true,
    })
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
      child.once('error', (error) => resolve(error.message))
    })
    return child
  }

  async #keepRunning(): Promise<void> {
    const { name } = this.#options
    const { signal } = this.#stopping
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const since = performance.now()
      const how = await this.#ended
      if (signal.aborted) return
      if (performance.now() - since >= STEADY_MS) pause = FIRST_PAUSE_MS
      console.error(`millrace: ${name} ended (${how}), starts again in ${pause / 1000} s`)
      await sleep(pause, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      this.#spawn()
    }
  }
}

function firstReady<R extends Ready>(child: ChildProcess): Promise<R> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (isReady(message)) resolve(message as R)
    })
  })
}

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && (message as Partial<Ready>).type === 'ready'
}
