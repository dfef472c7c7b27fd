/** A proxy of one's own, on a free port. */
import { startProcess, type Exit, type RunningProcess } from './process.ts'

export interface ProxyOptions {
  readonly controlUrl: string
  readonly proxyKey: string
  /** One that control has used: the master key lies there. */
  readonly dataDir: string
  readonly env?: Readonly<Record<string, string>>
  readonly execArgv?: readonly string[]
  readonly prefix?: readonly string[]
  /** Another build's entry. */
  readonly entry?: string
}

export class ProxyProcess implements AsyncDisposable {
  readonly #options: ProxyOptions
  #process: RunningProcess

  constructor(options: ProxyOptions, started: RunningProcess) {
    this.#options = options
    this.#process = started
  }

  get url(): string {
    return this.#process.ready.url
  }
  get port(): number {
    return Number(new URL(this.url).port)
  }
  get pid(): number {
    return this.#process.pid
  }
  get exited(): Promise<Exit> {
    return this.#process.exited
  }
  get running(): boolean {
    return this.#process.running
  }
  output(): { stdout: string; stderr: string } {
    return this.#process.output()
  }
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal)
  }
  kill9(): Promise<Exit> {
    return this.#process.kill9()
  }
  /** @param timeoutMs until SIGKILL follows SIGTERM */
  stop(timeoutMs?: number): Promise<Exit> {
    return this.#process.stop(timeoutMs)
  }

  /** Starts again with the same settings, on the same port. Stops it first if it runs. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#process.stop()
    this.#process = await launch(this.#options, { MILLRACE_PROXY_PORT: String(this.port), ...env })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
  }
}

/** Starts a proxy. It is ready when it listens, which may be before it has a configuration. @throws StartError */
export async function startProxy(options: ProxyOptions): Promise<ProxyProcess> {
  return new ProxyProcess(options, await launch(options))
}

function launch(options: ProxyOptions, env: Readonly<Record<string, string>> = {}): Promise<RunningProcess> {
  return startProcess({
    entry: options.entry ?? 'packages/proxy/dist/main.js',
    execArgv: options.execArgv ?? [],
    prefix: options.prefix ?? [],
    env: {
      MILLRACE_PROXY_PORT: '0',
      MILLRACE_CONTROL_URL: options.controlUrl,
      MILLRACE_PROXY_KEY: options.proxyKey,
      MILLRACE_DATA_DIR: options.dataDir,
      ...options.env,
      ...env,
    },
  })
}
