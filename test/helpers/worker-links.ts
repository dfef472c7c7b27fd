/** Workers and their primary in one process, with what they say to each other cloned as between processes. */
import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'

import { pino } from 'pino'

import { MemoryLimits } from '../../packages/proxy/dist/limits/memory.js'
import { MemoryBindings } from '../../packages/proxy/dist/sticky/memory.js'
import { Deadlines } from '../../packages/proxy/dist/upstream/deadlines.js'
import { Channel, type Ipc } from '../../packages/proxy/dist/workers/channel.js'
import { Fleet } from '../../packages/proxy/dist/workers/fleet.js'
import type { ToPrimary } from '../../packages/proxy/dist/workers/link.js'

export const SILENT = pino({ level: 'silent' })

/** One end of a connection, as Node gives a process's. */
class End extends EventEmitter implements Ipc {
  connected = true
  /** Keeps what comes for later, as a process does that is busy. */
  stopped = false
  readonly #port: MessagePort
  readonly #kept: unknown[] = []

  constructor(port: MessagePort) {
    super()
    this.#port = port
    port.on('message', (message) => {
      if (this.stopped) this.#kept.push(message)
      else this.emit('message', message)
    })
    port.unref()
  }

  send(message: unknown, _handle: undefined, _options: undefined, sent: (error: Error | null) => void): boolean {
    this.#port.postMessage(message, [])
    process.nextTick(sent, null)
    return true
  }

  goOn(): void {
    this.stopped = false
    for (const message of this.#kept.splice(0)) this.emit('message', message)
  }
}

export class WorkerLinks implements Disposable {
  readonly deadlines = new Deadlines()
  readonly limits: MemoryLimits
  readonly fleet: Fleet
  /** The primary's own. */
  readonly records = { length: 0, inMemory: 0, dropped: 0 }
  readonly #ends: End[] = []

  constructor(limits = new MemoryLimits(null), size = 2) {
    this.limits = limits
    this.fleet = new Fleet({
      deadlines: this.deadlines,
      limits,
      bindings: new MemoryBindings(),
      size,
      records: this.records,
      ownMetrics: async () => [],
      ready: () => undefined,
      draining: () => undefined,
      drained: () => undefined,
      changed: () => undefined,
    })
  }

  /** A worker's connection to the primary, and the means to end it. @param answers what it answers the primary, by name */
  open(answers: object = {}): { channel: ToPrimary; die: () => void } {
    const { port1, port2 } = new MessageChannel()
    const [primary, worker] = [new End(port1), new End(port2)]
    this.#ends.push(primary)
    const child = primary as unknown as ChildProcess
    this.fleet.add(child)
    const channel: ToPrimary = new Channel(worker, this.deadlines, { answers, hears: {} })
    return { channel, die: () => this.fleet.remove(child) }
  }

  /** The primary does nothing until {@link goOn}. */
  stop(): void {
    for (const end of this.#ends) end.stopped = true
  }

  goOn(): void {
    for (const end of this.#ends) end.goOn()
  }

  [Symbol.dispose](): void {
    this.deadlines.stop()
  }
}
