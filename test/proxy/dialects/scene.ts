/** A proxy with a provider of each kind, for a whole test file. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import Anthropic from '@anthropic-ai/sdk'
import { newMasterKey, type RequestRecord } from '@millrace/shared'
import OpenAI from 'openai'

import { startFakeControl, type FakeControl } from '../../helpers/fake-control.ts'
import { send, type Answer } from '../../helpers/http.ts'
import type { OwnSnapshot } from '../../helpers/own-snapshot.ts'
import { startProxy, type ProxyProcess } from '../../helpers/proxy.ts'
import { temporaryFolder } from '../../helpers/temporary.ts'
import { startUpstream, type Behaviour, type SeenRequest, type Upstream } from '../../helpers/upstream.ts'
import { waitFor } from '../../helpers/wait.ts'
import { dialectSnapshot, KEY } from './kinds.ts'

export class DialectScene {
  /** Set from the first test on. */
  upstream!: Upstream
  control!: FakeControl
  proxy!: ProxyProcess
  snapshot!: OwnSnapshot
  openai!: OpenAI
  anthropic!: Anthropic

  async start(resources: AsyncDisposableStack): Promise<void> {
    const folder = resources.use(await temporaryFolder())
    this.upstream = resources.use(await startUpstream())
    this.control = resources.use(await startFakeControl())
    this.proxy = resources.use(
      await startProxy({
        controlUrl: this.control.url,
        proxyKey: 'p'.repeat(32),
        dataDir: folder.path,
        env: { MILLRACE_MASTER_KEY: newMasterKey(), ...KEY },
      }),
    )
    this.snapshot = dialectSnapshot(`http://127.0.0.1:${this.upstream.port}`)
    this.control.publish(this.snapshot.at(1))
    const headers = this.#headers()
    await waitFor(async () => (await send(`${this.proxy.url}/v1/models`, { method: 'GET', headers })).status === 200, {
      what: 'the configuration to be served',
    })
    const { token: apiKey } = this.snapshot
    this.openai = new OpenAI({ apiKey, baseURL: `${this.proxy.url}/v1`, maxRetries: 0 })
    this.anthropic = new Anthropic({ apiKey, baseURL: this.proxy.url, maxRetries: 0 })
  }

  /** POSTs a body, as it is if it is text, and reads the answer's bytes. */
  post(path: string, body: string | object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return send(this.proxy.url + path, {
      headers: { ...this.#headers(), ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  /** The same of a request that the upstream answers so. It must be asked, and once. */
  async ask(behaviour: Behaviour, path: string, body: string | object): Promise<{ answer: Answer; seen: SeenRequest }> {
    const asked = this.upstream.requests.length
    this.upstream.next(behaviour)
    const answer = await this.post(path, body)
    this.upstream.expectNothing()
    assert.equal(
      this.upstream.requests.length,
      asked + 1,
      `the upstream is asked once: ${answer.status} ${answer.text}`,
    )
    return { answer, seen: this.upstream.last }
  }

  /** The record of an answer, once it has come. */
  recordOf({ headers }: Pick<Answer, 'headers'>): Promise<RequestRecord> {
    const id = headers['x-request-id']
    return waitFor(() => this.control.records.find(({ requestId }) => requestId === id), {
      what: `the record of ${String(id)}`,
    })
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.snapshot.token}`, 'content-type': 'application/json' }
  }
}

/** One for the file that calls this, started before its first test. */
export function useDialects(): DialectScene {
  const scene = new DialectScene()
  const resources = new AsyncDisposableStack()
  before(() => scene.start(resources))
  after(() => resources.disposeAsync())
  return scene
}
