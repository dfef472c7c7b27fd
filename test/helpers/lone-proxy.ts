/** A proxy whose control plane is a fake one, and an upstream for it. */
import { newMasterKey, type RequestRecord } from '@millrace/shared'

import { startFakeControl, type FakeControl, type Hang } from './fake-control.ts'
import { send, type Answer } from './http.ts'
import { OwnConfiguration } from './own-snapshot.ts'
import { startProxy, type ProxyProcess } from './proxy.ts'
import { temporaryFolder } from './temporary.ts'
import { startUpstream, type Upstream } from './upstream.ts'
import { waitFor } from './wait.ts'

export interface LoneProxyOptions {
  readonly hangs?: Hang
  readonly env?: Readonly<Record<string, string>>
}

export class LoneProxy implements AsyncDisposable {
  readonly control: FakeControl
  readonly upstream: Upstream
  readonly proxy: ProxyProcess
  /** Published at no revision yet. */
  readonly configuration: OwnConfiguration
  readonly dataDir: string
  readonly #resources: AsyncDisposableStack

  constructor(
    control: FakeControl,
    upstream: Upstream,
    proxy: ProxyProcess,
    configuration: OwnConfiguration,
    dataDir: string,
    resources: AsyncDisposableStack,
  ) {
    this.control = control
    this.upstream = upstream
    this.proxy = proxy
    this.configuration = configuration
    this.dataDir = dataDir
    this.#resources = resources
  }

  /** A chat completion of the configuration's alias, with its token. */
  chat(headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { alias, token } = this.configuration
    return send(`${this.proxy.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: alias, messages: [{ role: 'user', content: 'Say hello.' }] }),
    })
  }

  /** The status of `/readyz`. */
  async readiness(): Promise<number> {
    return (await send(`${this.proxy.url}/readyz`, { method: 'GET' })).status
  }

  /** Publishes the configuration at a revision, and waits until requests are served by it. */
  async serve(revision: number): Promise<void> {
    this.control.publish(this.configuration.at(revision))
    await waitFor(async () => Number((await this.chat()).headers['x-millrace-revision']) === revision, {
      what: `revision ${revision} to be served`,
      timeoutMs: 30_000,
    })
  }

  /** The record of a request id, once it has come. */
  record(requestId: string): Promise<RequestRecord> {
    return waitFor(() => this.control.records.find((record) => record.requestId === requestId), {
      what: `the record of ${requestId}`,
      timeoutMs: 30_000,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

/** Starts all three. Nothing is published yet. */
export async function startLoneProxy(options: LoneProxyOptions = {}): Promise<LoneProxy> {
  await using resources = new AsyncDisposableStack()
  const folder = resources.use(await temporaryFolder())
  const upstream = resources.use(await startUpstream())
  const control = resources.use(await startFakeControl())
  control.hangs = options.hangs ?? null
  const proxy = resources.use(
    await startProxy({
      controlUrl: control.url,
      proxyKey: 'p'.repeat(32),
      dataDir: folder.path,
      env: { MILLRACE_MASTER_KEY: newMasterKey(), ...options.env },
    }),
  )
  const configuration = new OwnConfiguration(upstream.baseUrl)
  return new LoneProxy(control, upstream, proxy, configuration, folder.path, resources.move())
}
