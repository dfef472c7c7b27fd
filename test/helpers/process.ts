/** Compiled processes of Millrace as children: started, watched, ended. Must never know what a process does. */
import { spawn, type ChildProcess, type Serializable } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)
const OUTPUT_KEPT = 256 * 1024

/** What a process sends over IPC once it listens. */
export type Ready = { readonly type: 'ready'; readonly url: string } & Readonly<Record<string, unknown>>

export interface ProcessOptions {
  /** The compiled entry, from the repository's root: `packages/proxy/dist/main.js`; or a path of one's own. */
  readonly entry: string
  readonly env?: Readonly<Record<string, string>>
  /** Node's own arguments, as the npm script gives them. */
  readonly execArgv?: readonly string[]
  /** A command that ends in exec'ing its arguments, such as `['taskset', '-c', '0']`: the pid stays the process's own. */
  readonly prefix?: readonly string[]
  /** Until `ready`. */
  readonly startTimeoutMs?: number
  /** Until SIGKILL follows a disposal's SIGTERM. */
  readonly stopTimeoutMs?: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process ended, or said nothing, before it was ready. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly exit: Exit | null
  readonly stdout: string
  readonly stderr: string
  constructor(entry: string, exit: Exit | null, stdout: string, stderr: string) {
    const how = exit ? `ended before it was ready (code ${exit.code}, signal ${exit.signal})` : 'was not ready in time'
    super(`${entry} ${how}\n--- stdout ---\n${stdout}\n--- stderr ---\n${stderr}`)
    this.exit = exit
    this.stdout = stdout
    this.stderr = stderr
  }
}

const live = new Set<ChildProcess>()
let watching = false

/** A test that fails, throws or is ended by the runner's SIGTERM leaves no child behind. */
export function endWithThisProcess(child: ChildProcess): void {
  if (!watching) {
    watching = true
    process.on('exit', () => {
      for (const one of live) one.kill('SIGKILL')
    })
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
  }
  live.add(child)
  child.once('exit', () => live.delete(child))
}

/** Keeps this process running until the promise has settled; children do not (see {@link letGo}). */
export async function held<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 60_000)
  try {
    return await promise
  } finally {
    clearInterval(timer)
  }
}

/** A child that a failed test has left behind must not keep the test's own process, and with it the whole run, from ending. */
export function letGo(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
  for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.unref()
}

/** The environment of a child: nothing of the outer one but what an operating system needs. */
export function cleanEnvironment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const base: Record<string, string> = {}
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'SystemRoot']) {
    const value = process.env[name]
    if (value !== undefined) base[name] = value
  }
  return { ...base, ...env }
}

/** The last part of a stream, bounded. */
class Tail {
  #text = ''
  add(chunk: string): void {
    this.#text += chunk
    if (this.#text.length > OUTPUT_KEPT) this.#text = this.#text.slice(-OUTPUT_KEPT / 2)
  }
  get text(): string {
    return this.#text
  }
}

export class RunningProcess implements AsyncDisposable {
  readonly pid: number
  readonly ready: Ready
  /** Await it with a deadline: it does not keep this process running by itself. */
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  readonly #stdout: Tail
  readonly #stderr: Tail
  readonly #stopTimeoutMs: number

  constructor(
    child: ChildProcess,
    ready: Ready,
    exited: Promise<Exit>,
    stdout: Tail,
    stderr: Tail,
    stopTimeoutMs: number,
  ) {
    this.pid = child.pid!
    this.ready = ready
    this.exited = exited
    this.#child = child
    this.#stdout = stdout
    this.#stderr = stderr
    this.#stopTimeoutMs = stopTimeoutMs
  }

  /** Whether it still runs. */
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** What it has written so far: the last 256 KiB of each stream. */
  output(): { stdout: string; stderr: string } {
    return { stdout: this.#stdout.text, stderr: this.#stderr.text }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal)
  }

  /** Sends it a message over IPC. */
  send(message: Serializable): void {
    this.#child.send(message)
  }

  /** The next message over IPC that `wanted` takes. */
  message<T>(wanted: (message: unknown) => message is T): Promise<T> {
    const answer = new Promise<T>((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        if (!wanted(message)) return
        this.#child.off('message', onMessage)
        resolve(message)
      }
      this.#child.on('message', onMessage)
      void this.exited.then(({ code, signal }) =>
        reject(new Error(`ended (code ${code}, signal ${signal}): ${this.#stderr.text}`)),
      )
    })
    return held(answer)
  }

  /** Ends it without any chance to tidy up. */
  async kill9(): Promise<Exit> {
    this.signal('SIGKILL')
    return held(this.exited)
  }

  /** SIGTERM, and SIGKILL once the deadline has passed. */
  async stop(timeoutMs = this.#stopTimeoutMs): Promise<Exit> {
    if (!this.running) return held(this.exited)
    const timer = setTimeout(() => this.signal('SIGKILL'), timeoutMs)
    this.signal('SIGTERM')
    try {
      return await this.exited
    } finally {
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/**
 * Starts a process and waits until it says that it is ready.
 * @throws StartError with its exit code and output if it ends before, or says nothing in time
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { entry, startTimeoutMs = 60_000, stopTimeoutMs = 10_000 } = options
  const [command, ...args] = [
    ...(options.prefix ?? []),
    process.execPath,
    ...(options.execArgv ?? []),
    fileURLToPath(new URL(entry, ROOT)),
  ]
  const child = spawn(command, args, { env: cleanEnvironment(options.env), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  endWithThisProcess(child)
  const stdout = new Tail()
  const stderr = new Tail()
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => stdout.add(chunk))
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => stderr.add(chunk))
  // 'close', not 'exit': only then has all output been read.
  const exited = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  child.once('error', (error) => stderr.add(`${error.message}\n`))

  const ready = await new Promise<Ready | Exit | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), startTimeoutMs)
    const settle = (value: Ready | Exit): void => {
      clearTimeout(timer)
      resolve(value)
    }
    child.on('message', (message) => {
      if (isReady(message)) settle(message)
    })
    void exited.then(settle)
  })
  if (ready === null || !('type' in ready)) {
    child.kill('SIGKILL')
    throw new StartError(entry, ready, stdout.text, stderr.text)
  }
  letGo(child)
  return new RunningProcess(child, ready, exited, stdout, stderr, stopTimeoutMs)
}

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && (message as Partial<Ready>).type === 'ready'
}
