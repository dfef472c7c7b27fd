/** The workers as processes: started, and started again when they end. Must never know what they do. */
import { fork, type ChildProcess } from 'node:child_process'
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'

const ENTRY = fileURLToPath(new URL('../worker-main.js', import.meta.url))
/** What a process has said before its end is read by then. */
const SILENCE_MS = 1_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** After so long in service, an end is a new misfortune and not the last one's sequel. */
const STEADY_MS = 60_000

export interface CrewEvents {
  started(child: ChildProcess, index: number): void
  /** Its channel has been read to its end. @param how it ended */
  ended(child: ChildProcess, how: string): void
}

export class Crew {
  private readonly log: Logger
  private readonly events: CrewEvents
  private readonly stopping = new AbortController()
  private readonly children = new Set<ChildProcess>()
  private readonly running: Promise<void>[] = []

  constructor(log: Logger, events: CrewEvents) {
    this.log = log
    this.events = events
  }

  /** Starts so many, and keeps them running until {@link end}. */
  start(count: number): void {
    for (let index = 0; index < count; index++) this.running.push(this.keep(index))
  }

  /** Those that end from now on are not started again. Resolves when all have ended. */
  async end(): Promise<void> {
    this.stopping.abort()
    await Promise.all(this.running)
  }

  kill(): void {
    for (const child of this.children) child.kill('SIGKILL')
  }

  private async keep(index: number): Promise<void> {
    const { signal } = this.stopping
    const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
    while (!signal.aborted) {
      const since = performance.now()
      const how = await this.run(index)
      if (signal.aborted) return
      if (performance.now() - since >= STEADY_MS) backoff.reset()
      const pause = backoff.next()
      this.log.error({ worker: index }, `a worker ended (${how}), starts again in ${Math.round(pause)} ms`)
      await delay(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** One process, until it has ended. @returns how it did */
  private async run(index: number): Promise<string> {
    const child = fork(ENTRY, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.children.add(child)
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
      child.once('error', (error) => resolve(error.message))
    })
    this.events.started(child, index)
    const how = await exited
    await silence(child)
    this.children.delete(child)
    this.events.ended(child, how)
    return how
  }
}

/** Waits until a process that has ended can't be heard any more. Its `disconnect` never comes if a handle was on its way to it. */
async function silence(child: ChildProcess): Promise<void> {
  for (let waitedMs = 0; child.connected && waitedMs < SILENCE_MS; waitedMs += 10) await delay(10)
  await immediate()
}
