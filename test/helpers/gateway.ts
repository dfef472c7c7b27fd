/** Control plane and proxy together, and what a test does with them. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import OpenAI from 'openai'

import {
  createAlias,
  createProvider,
  createToken,
  QUICK_RETRY,
  type AliasOptions,
  type ProviderOptions,
  type RouteOptions,
  type TokenOptions,
} from './configuration.ts'
import { startControl, type ControlOptions, type ControlProcess } from './control.ts'
import { layOutDatabase } from './embedded-database.ts'
import { uniqueName } from './names.ts'
import { startProxy, type ProxyOptions, type ProxyProcess } from './proxy.ts'
import { RECORD_FIELDS, type StoredRecord } from './stored-record.ts'
import { temporaryFolder } from './temporary.ts'
import { waitFor, type WaitOptions } from './wait.ts'

export { UPSTREAM_KEY } from './configuration.ts'
export { uniqueName } from './names.ts'

export interface GatewayOptions {
  readonly databaseUrl?: string
  /** For both. */
  readonly env?: Readonly<Record<string, string>>
  readonly controlEnv?: Readonly<Record<string, string>>
  readonly proxyEnv?: Readonly<Record<string, string>>
  readonly control?: Pick<ControlOptions, 'prefix'>
  readonly proxy?: Pick<ProxyOptions, 'prefix' | 'execArgv' | 'entry'>
}

/** What `/readyz` says. */
export interface Readyz {
  readonly ready: boolean
  readonly revision: number | null
  readonly problem: string | null
  readonly control: { readonly state: 'connected' | 'away'; readonly since: string } | null
  readonly redis: 'none' | 'up' | 'down' | null
  readonly limits: string
  readonly records: { readonly queued: number; readonly spooled: number; readonly dropped: number }
  readonly workers: { readonly ready: number; readonly of: number }
}

interface RequestIdPage {
  readonly edges: readonly { readonly node: { readonly requestId: string } }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

export class Gateway implements AsyncDisposable {
  readonly control: ControlProcess
  readonly proxy: ProxyProcess
  readonly #options: GatewayOptions
  readonly #resources: AsyncDisposableStack

  constructor(control: ControlProcess, proxy: ProxyProcess, options: GatewayOptions, resources: AsyncDisposableStack) {
    this.control = control
    this.proxy = proxy
    this.#options = options
    this.#resources = resources
  }

  /** Another proxy of the same settings with a data folder of its own, serving the newest revision when this returns. */
  async addProxy(): Promise<ProxyProcess> {
    const masterKey = await readFile(join(this.control.dataDir, 'master.key'), 'utf8')
    const folder = this.#resources.use(await temporaryFolder())
    const { env, proxyEnv } = this.#options
    const proxy = this.#resources.use(
      await startProxy({
        controlUrl: this.control.url,
        proxyKey: this.control.proxyKey,
        dataDir: folder.path,
        env: { MILLRACE_MASTER_KEY: masterKey.trim(), ...env, ...proxyEnv },
      }),
    )
    await this.untilServed(undefined, proxy)
    return proxy
  }

  /** Where the OpenAI API is: `http://…/v1`. */
  get baseUrl(): string {
    return `${this.proxy.url}/v1`
  }
  /** A token of the project `default`. */
  get token(): string {
    return this.control.token
  }

  /** The official SDK, without retries of its own. */
  client(token: string = this.token, options: { timeout?: number } = {}): OpenAI {
    return new OpenAI({ baseURL: this.baseUrl, apiKey: token, maxRetries: 0, ...options })
  }

  /** Adds a provider and returns its id. */
  addProvider(baseUrl: string | null, options: ProviderOptions = {}): Promise<string> {
    return createProvider(this.control, baseUrl, options)
  }

  /** Adds an alias with one provider's route, or with the routes that are given, and returns its id. */
  addAlias(name: string, routes: string | readonly RouteOptions[], options: AliasOptions = {}): Promise<string> {
    return createAlias(this.control, name, routes, options)
  }

  /** A provider at this address and an alias for it, served by the proxy when this returns. */
  async serve(
    baseUrl: string,
    options: ProviderOptions & { alias?: string; providerModel?: string | null } = {},
  ): Promise<string> {
    const { alias = uniqueName('alias'), providerModel = 'upstream-model', ...rest } = options
    const provider = await this.addProvider(baseUrl, rest)
    await this.addAlias(alias, [{ provider, providerModel }], { retry: QUICK_RETRY })
    await this.untilServed()
    return alias
  }

  async projectId(name = 'default'): Promise<string> {
    const { projects } = await this.control.gql<{ projects: { id: string; name: string }[] }>(
      '{ projects { id name } }',
    )
    const project = projects.find((one) => one.name === name)
    if (!project) throw new Error(`no project ${name}`)
    return project.id
  }

  /** Adds a token, of the project `default` unless told otherwise, and returns its id and secret. */
  async addToken(options: Partial<TokenOptions> = {}): Promise<{ id: string; secret: string }> {
    const { project = await this.projectId() } = options
    return createToken(this.control, { ...options, project })
  }

  /** The newest revision of the configuration. */
  async revision(): Promise<number> {
    const { configRevision } = await this.control.gql<{ configRevision: { number: number } }>(
      '{ configRevision { number } }',
    )
    return configRevision.number
  }

  /** Waits until the proxy serves by a revision: the newest unless told otherwise. */
  async untilServed(revision?: number, proxy: ProxyProcess = this.proxy): Promise<void> {
    const wanted = revision ?? (await this.revision())
    await waitFor(async () => ((await this.#servedRevision(proxy)) ?? -1) >= wanted, {
      what: `revision ${wanted} to be served`,
      timeoutMs: 60_000,
    })
  }

  /** An answer of the proxy itself: its report to the control plane may be two seconds old. Of workers, the last one's. */
  async #servedRevision(proxy: ProxyProcess): Promise<number | null> {
    const answer = (await (await fetch(`${proxy.url}/readyz`)).json()) as Readyz
    return answer.workers.of === 1 || answer.ready ? answer.revision : null
  }

  /** A plain request to the proxy, with the token unless other headers say otherwise. */
  fetch(
    path: string,
    init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    return fetch(`${this.proxy.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${this.token}`, ...init.headers },
    })
  }

  /** POSTs a body to an endpoint; strings and buffers go as they are. */
  post(path: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return this.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
      ...(signal ? { signal } : {}),
    })
  }

  /** A chat completion with one message. */
  chat(
    model: string,
    more: Readonly<Record<string, unknown>> = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.post(
      '/v1/chat/completions',
      { model, messages: [{ role: 'user', content: 'Say hello.' }], ...more },
      headers,
    )
  }

  /** All stored records of one request id, which may be the client's own. */
  async stored(requestId: string): Promise<StoredRecord[]> {
    const { requests } = await this.control.gql<{ requests: { edges: { node: StoredRecord }[] } }>(
      `query ($id: String!) { requests(filter: { requestId: $id }, first: 50) { edges { node { ${RECORD_FIELDS} } } } }`,
      { id: requestId },
    )
    return requests.edges.map(({ node }) => node)
  }

  /** How many records each request id has, of all that are stored. */
  async storedCounts(): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    let after: string | null = null
    do {
      const { requests }: { requests: RequestIdPage } = await this.control.gql(
        'query ($after: String) { requests(first: 500, after: $after) { edges { node { requestId } } pageInfo { hasNextPage endCursor } } }',
        { after },
      )
      for (const { node } of requests.edges) counts.set(node.requestId, (counts.get(node.requestId) ?? 0) + 1)
      after = requests.pageInfo.hasNextPage ? requests.pageInfo.endCursor : null
    } while (after !== null)
    return counts
  }

  /** Waits until all of these request ids have a record, and asserts that none has, or comes to have, two. */
  async assertOneRecordEach(requestIds: readonly string[], timeoutMs = 60_000): Promise<void> {
    const missing = async (): Promise<string[]> => {
      const counts = await this.storedCounts()
      return requestIds.filter((id) => !counts.has(id))
    }
    await waitFor(async () => (await missing()).length === 0, {
      timeoutMs,
      intervalMs: 250,
      what: 'a record of each request',
    })
    // What was sent twice has come by then.
    await sleep(1_000)
    const counts = await this.storedCounts()
    const wrong = requestIds.filter((id) => counts.get(id) !== 1)
    assert.deepEqual(wrong, [], 'requests without exactly one record')
  }

  /** Waits until so many records of one request id are stored, and returns them. More than that is an error. */
  async records(requestId: string, count = 1, options: WaitOptions = {}): Promise<StoredRecord[]> {
    const records = await waitFor(
      async () => {
        const found = await this.stored(requestId)
        return found.length >= count && found
      },
      { timeoutMs: 30_000, intervalMs: 50, what: `${count} records of ${requestId}`, ...options },
    )
    if (records.length !== count) throw new Error(`${records.length} records of ${requestId}, not ${count}`)
    return records
  }

  /** The one record of an answer, or of a request id. */
  async record(of: Response | string): Promise<StoredRecord> {
    const id = typeof of === 'string' ? of : of.headers.get('x-request-id')
    if (id === null) throw new Error('the answer has no x-request-id')
    return (await this.records(id))[0]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

/** Starts both on free ports and a common temporary data folder, and waits until the proxy has a configuration. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  await using resources = new AsyncDisposableStack()
  const folder = resources.use(await temporaryFolder())
  if (options.databaseUrl === undefined) await layOutDatabase(folder.path)
  const control = resources.use(
    await startControl({
      ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
      dataDir: folder.path,
      env: { ...options.env, ...options.controlEnv },
      ...options.control,
    }),
  )
  const proxy = resources.use(
    await startProxy({
      controlUrl: control.url,
      proxyKey: control.proxyKey,
      dataDir: folder.path,
      env: { ...options.env, ...options.proxyEnv },
      ...options.proxy,
    }),
  )
  const gateway = new Gateway(control, proxy, options, resources.move())
  try {
    await gateway.untilServed()
  } catch (error) {
    const { stdout, stderr } = proxy.output()
    await gateway[Symbol.asyncDispose]()
    throw new Error(`the proxy got no configuration\n--- its output ---\n${stdout}${stderr}`, { cause: error })
  }
  return gateway
}
