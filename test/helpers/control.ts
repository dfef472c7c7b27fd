/** A control plane of one's own, on a free port and an empty data folder. */
import { layOutDatabase } from './embedded-database.ts'
import { request, subscribe, type Subscription, type Variables } from './graphql.ts'
import { startProcess, type Exit, type RunningProcess } from './process.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary.ts'

export interface ControlOptions {
  /** Absent: PGlite in the data folder. */
  readonly databaseUrl?: string
  /** Absent: a temporary one, removed on disposal. */
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string>>
  readonly prefix?: readonly string[]
}

/** The secrets of the first start, which are shown once. */
export interface FirstStart {
  readonly adminKey: string
  readonly token: string
  readonly proxyKey: string
}

export class ControlProcess implements AsyncDisposable {
  readonly dataDir: string
  readonly #options: ControlOptions
  readonly #folder: TemporaryFolder | null
  #process: RunningProcess
  #firstStart: FirstStart | null

  constructor(options: ControlOptions, dataDir: string, folder: TemporaryFolder | null, started: RunningProcess) {
    this.#options = options
    this.dataDir = dataDir
    this.#folder = folder
    this.#process = started
    this.#firstStart = firstStartOf(started)
  }

  get url(): string {
    return this.#process.ready.url
  }
  get pid(): number {
    return this.#process.pid
  }
  get exited(): Promise<Exit> {
    return this.#process.exited
  }
  /** Null if another control plane had started on this data before. */
  get firstStart(): FirstStart | null {
    return this.#firstStart
  }
  get adminKey(): string {
    return this.#options.env?.['MILLRACE_ADMIN_KEY'] ?? this.#first.adminKey
  }
  get token(): string {
    return this.#first.token
  }
  get proxyKey(): string {
    return this.#first.proxyKey
  }
  get #first(): FirstStart {
    if (!this.#firstStart)
      throw new Error('not a first start: the secrets were shown once, to whoever started it first')
    return this.#firstStart
  }

  output(): { stdout: string; stderr: string } {
    return this.#process.output()
  }

  /** The operation's data, with the admin key unless another one (or null: none) is given. @throws GraphqlError */
  gql<T = Record<string, any>>(
    query: string,
    variables: Variables = {},
    key: string | null = this.adminKey,
  ): Promise<T> {
    return request<T>(this.url, key, query, variables)
  }

  /** Events over graphql-ws. */
  subscribe<T = Record<string, any>>(
    query: string,
    variables: Variables = {},
    key: string | null = this.adminKey,
  ): Subscription<T> {
    return subscribe<T>(this.url, key, query, variables)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal)
  }
  kill9(): Promise<Exit> {
    return this.#process.kill9()
  }
  stop(): Promise<Exit> {
    return this.#process.stop()
  }

  /** Starts again on the same data and, so that proxies find it, on the same port. Stops it first if it runs. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#process.stop()
    const port = new URL(this.url).port
    this.#process = await launch(this.#options, this.dataDir, { MILLRACE_CONTROL_PORT: port, ...env })
    this.#firstStart ??= firstStartOf(this.#process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
    await this.#folder?.[Symbol.asyncDispose]()
  }
}

/** Starts a control plane. @throws StartError */
export async function startControl(options: ControlOptions = {}): Promise<ControlProcess> {
  const folder = options.dataDir === undefined ? await temporaryFolder() : null
  const dataDir = options.dataDir ?? folder!.path
  try {
    if (folder !== null && options.databaseUrl === undefined) await layOutDatabase(dataDir)
    return new ControlProcess(options, dataDir, folder, await launch(options, dataDir))
  } catch (error) {
    await folder?.[Symbol.asyncDispose]()
    throw error
  }
}

function launch(
  options: ControlOptions,
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningProcess> {
  return startProcess({
    entry: 'packages/control/dist/main.js',
    prefix: options.prefix ?? [],
    // More than it gives itself.
    stopTimeoutMs: 30_000,
    env: {
      MILLRACE_CONTROL_PORT: '0',
      MILLRACE_DATA_DIR: dataDir,
      ...(options.databaseUrl === undefined ? {} : { MILLRACE_DATABASE_URL: options.databaseUrl }),
      ...options.env,
      ...env,
    },
  })
}

function firstStartOf(started: RunningProcess): FirstStart | null {
  return (started.ready['firstStart'] ?? null) as FirstStart | null
}
