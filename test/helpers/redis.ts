/** One Redis (or Valkey) server of our own, from the programs that are installed here. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'

import { cleanEnvironment, endWithThisProcess, held, letGo } from './process.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary.ts'
import { waitFor } from './wait.ts'

const run = promisify(execFile)
const PROGRAMS = ['redis-server', 'valkey-server']

export interface RedisServerOptions {
  readonly password?: string
}

/** The program to run; null if none is installed. */
async function program(): Promise<string | null> {
  for (const name of PROGRAMS) {
    const found = await run(name, ['--version'], { env: cleanEnvironment() }).catch(() => null)
    if (found !== null) return name
  }
  return null
}

/** For node:test's `skip`: why no server can be started here; false if one can. */
export async function redisUnusable(): Promise<string | false> {
  return (await program()) === null ? `no Redis: neither ${PROGRAMS.join(' nor ')} is installed` : false
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class RedisServer implements AsyncDisposable {
  readonly url: string
  readonly #program: string
  readonly #folder: TemporaryFolder
  readonly #port: number
  readonly #password: string | null
  #child: ChildProcess | null = null

  private constructor(found: string, folder: TemporaryFolder, port: number, password: string | null) {
    this.#program = found
    this.#folder = folder
    this.#port = port
    this.#password = password
    this.url = `redis://${password === null ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`
  }

  /** Starts an empty one on a free port. */
  static async start({ password }: RedisServerOptions = {}): Promise<RedisServer> {
    const found = await program()
    if (found === null) throw new Error('no Redis is installed')
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    for (let tries = 0; ; tries++) {
      const server = new RedisServer(found, folder, await freePort(), password ?? null)
      try {
        await server.start()
        stack.move()
        return server
      } catch (error) {
        // The port may have gone to someone else since it was found free.
        if (tries === 3) throw error
      }
    }
  }

  /** Starts it (again) on its port, empty. */
  async start(): Promise<void> {
    const settings = {
      bind: '127.0.0.1',
      port: String(this.#port),
      dir: this.#folder.path,
      save: '',
      appendonly: 'no',
      ...(this.#password === null ? {} : { requirepass: this.#password }),
    }
    const child = spawn(
      this.#program,
      Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      { env: cleanEnvironment(), cwd: this.#folder.path, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    endWithThisProcess(child)
    let log = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (log = (log + chunk).slice(-65_536)))
    }
    this.#child = child
    await waitFor(() => !this.#running || log.includes('Ready to accept connections'), { what: 'Redis to start' })
    letGo(child)
    if (!this.#running) throw new Error(`Redis did not start:\n${log}`)
  }

  get #running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** It stays connected, and answers nothing until {@link resume}. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it at once, its connections cut, its data gone. */
  async stop(): Promise<void> {
    if (!this.#running) return
    const ended = new Promise((resolve) => this.#child!.once('exit', resolve))
    this.#child!.kill('SIGKILL')
    await held(ended)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#folder[Symbol.asyncDispose]()
  }
}
