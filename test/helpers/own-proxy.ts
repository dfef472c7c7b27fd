/** A proxy that serves a configuration made up by a test, its providers at one fake upstream. For a whole test file. */
import { after, before } from 'node:test'

import Anthropic from '@anthropic-ai/sdk'
import { newId, newMasterKey, type RequestRecord, type SnapshotProvider } from '@millrace/shared'
import OpenAI from 'openai'

import { startFakeControl, type FakeControl } from './fake-control.ts'
import { open, send, type Answer, type OpenAnswer, type SendOptions } from './http.ts'
import type { OwnSnapshot } from './own-snapshot.ts'
import { startProxy, type ProxyProcess } from './proxy.ts'
import { temporaryFolder } from './temporary.ts'
import { startUpstream, type Behaviour, type SeenRequest, type Upstream } from './upstream.ts'
import { waitFor } from './wait.ts'

type Texts = Readonly<Record<string, string>>

const KEY_NAME = 'OWN_API_KEY'
/** What the upstream is asked with where a provider has {@link ownCredential}. */
export const OWN_KEY = 'a-key-of-the-upstream'

export function ownCredential(): SnapshotProvider['credentials'][number] {
  return { id: newId(), projectId: null, fingerprint: 'own', secret: { env: KEY_NAME } }
}

export class OwnProxy {
  /** Set from the first test on. */
  upstream!: Upstream
  control!: FakeControl
  proxy!: ProxyProcess
  snapshot!: OwnSnapshot
  openai!: OpenAI
  anthropic!: Anthropic
  readonly #snapshotAt: (origin: string) => OwnSnapshot
  readonly #env: Texts

  /** @param snapshotAt the configuration; origin: `http://127.0.0.1:PORT` @param env more of the proxy's environment */
  constructor(snapshotAt: (origin: string) => OwnSnapshot, env: Texts = {}) {
    this.#snapshotAt = snapshotAt
    this.#env = env
  }

  async start(resources: AsyncDisposableStack): Promise<void> {
    const folder = resources.use(await temporaryFolder())
    this.upstream = resources.use(await startUpstream())
    this.control = resources.use(await startFakeControl())
    this.proxy = resources.use(
      await startProxy({
        controlUrl: this.control.url,
        proxyKey: 'p'.repeat(32),
        dataDir: folder.path,
        env: { MILLRACE_MASTER_KEY: newMasterKey(), [KEY_NAME]: OWN_KEY, ...this.#env },
      }),
    )
    this.snapshot = this.#snapshotAt(`http://127.0.0.1:${this.upstream.port}`)
    this.control.publish(this.snapshot.at(1))
    await waitFor(async () => (await this.get('/v1/models')).status === 200, { what: 'the configuration to be served' })
    const { token: apiKey } = this.snapshot
    this.openai = new OpenAI({ apiKey, baseURL: `${this.proxy.url}/v1`, maxRetries: 0 })
    this.anthropic = new Anthropic({ apiKey, baseURL: this.proxy.url, maxRetries: 0 })
  }

  get(path: string): Promise<Answer> {
    return send(this.proxy.url + path, { method: 'GET', headers: this.#headers({}) })
  }

  /** POSTs a body, as it is if it is text, and reads the answer's bytes. */
  post(path: string, body: string | object, headers: Texts = {}): Promise<Answer> {
    return send(this.proxy.url + path, this.#posting(body, headers))
  }

  /** The same, but returns with the answer's head. */
  open(path: string, body: string | object, headers: Texts = {}): Promise<OpenAnswer> {
    return open(this.proxy.url + path, this.#posting(body, headers))
  }

  /** Has the upstream answer so, and returns what it was asked. */
  async asked<T>(behaviour: Behaviour, ask: () => Promise<T>): Promise<{ answer: T; seen: SeenRequest }> {
    this.upstream.next(behaviour)
    const answer = await ask()
    return { answer, seen: this.upstream.last }
  }

  /** The record of an answer, once it has come. */
  recordOf({ headers }: Pick<Answer, 'headers'>): Promise<RequestRecord> {
    const id = headers['x-request-id']
    return waitFor(() => this.control.records.find(({ requestId }) => requestId === id), {
      what: `the record of ${String(id)}`,
    })
  }

  #posting(body: string | object, headers: Texts): SendOptions {
    return { headers: this.#headers(headers), body: typeof body === 'string' ? body : JSON.stringify(body) }
  }

  #headers(more: Texts): Record<string, string> {
    return { authorization: `Bearer ${this.snapshot.token}`, 'content-type': 'application/json', ...more }
  }
}

/** Started before the file's first test. */
export function useOwnProxy(snapshotAt: (origin: string) => OwnSnapshot, env?: Texts): OwnProxy {
  return useProxy(new OwnProxy(snapshotAt, env))
}

/** For the whole of the file that calls this. */
export function useProxy<T extends OwnProxy>(own: T): T {
  const resources = new AsyncDisposableStack()
  before(() => own.start(resources))
  after(() => resources.disposeAsync())
  return own
}
