/** A proxy that passes requests on, and an upstream that answers by their paths. */
import { request as httpRequest, type ClientRequest } from 'node:http'

import { fingerprint, newId, type SnapshotProvider } from '@millrace/shared'
import OpenAI from 'openai'

import { OpenAnswer, type Answer } from '../../helpers/http.ts'
import type { Behaviour, SeenRequest } from '../../helpers/upstream.ts'
import { raw, type JsonOptions } from '../../helpers/upstream/answers.ts'
import { refuse } from '../../helpers/upstream/failures.ts'
import { startGuarded, type Guarded } from '../access/guarded.ts'

export interface AskOptions {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Whether the body is written by the caller. */
  readonly open?: boolean
}

interface Begun {
  readonly request: ClientRequest
  /** Settles with the head, or with what went wrong. */
  readonly answer: Promise<OpenAnswer>
}

/** Upstream keys by the variables that they stand in. */
export const KEYS = {
  SHARED_API_KEY: 'sk-shared-0123456789',
  SECOND_API_KEY: 'sk-second-0123456789',
  PROJECT_API_KEY: 'sk-project-0123456789',
} as const

/** An upstream key in a snapshot. */
export function credential(
  env: keyof typeof KEYS,
  projectId: string | null = null,
): SnapshotProvider['credentials'][number] {
  return { id: newId(), projectId, fingerprint: fingerprint(KEYS[env]), secret: { env } }
}

export class Passing implements AsyncDisposable {
  readonly guarded: Guarded
  readonly #pages = new Map<string, Behaviour>()
  readonly #answer: Behaviour

  constructor(guarded: Guarded) {
    this.guarded = guarded
    this.#answer = (exchange) => {
      const page = this.#pages.get(exchange.seen.url.split('?', 1)[0]!)
      return (page ?? refuse(404, { message: 'no such page' }))(exchange)
    }
    this.answering('')
  }

  /** Requests whose bodies name a model of the upstream's are answered by their paths, too. */
  answering(model: string): void {
    this.guarded.upstream.on(model, this.#answer)
  }

  /** What stands at a path of the upstream, as clients call it. */
  page(path: string, behaviour: Behaviour): void {
    this.#pages.set(path, behaviour)
  }

  /** A page of this text. */
  text(path: string, text: string, headers: JsonOptions['headers'] = {}): void {
    this.page(path, raw(text, { headers: { 'content-type': 'text/plain', ...headers } }))
  }

  /** What was asked for at a path of the upstream, in its order. */
  asked(path: string): SeenRequest[] {
    return this.guarded.upstream.requests.filter(({ url }) => url.split('?', 1)[0] === path)
  }

  /** Adds a provider that is asked for these paths. */
  provider(name: string, endpoints: readonly string[], more: Partial<SnapshotProvider> = {}): void {
    const settings = { passthrough: { endpoints } }
    this.guarded.change(({ providers }) => ({
      providers: [...providers, { ...providers[0]!, id: newId(), name, settings, ...more }],
    }))
  }

  changeProvider(name: string, change: Partial<SnapshotProvider>): void {
    this.guarded.change(({ providers }) => ({
      providers: providers.map((one) => (one.name === name ? { ...one, ...change } : one)),
    }))
  }

  /** How a provider's breaker stands, as the metrics tell it: `0` is closed. */
  async breakerOf(name: string): Promise<string | undefined> {
    const metrics = await (await fetch(`${this.guarded.url}/metrics`)).text()
    return metrics
      .split('\n')
      .find((line) => line.startsWith(`millrace_breaker_state{provider="${name}"}`))
      ?.split(' ')[1]
  }

  /** Sends a request whose target is written just so. */
  begin(target: string, options: AskOptions = {}): Begun {
    const { method = 'GET', token = this.guarded.token, headers, body, open = false } = options
    const { hostname, port } = new URL(this.guarded.url)
    const to = { hostname, port, path: target, method, agent: false }
    // For some methods Node would frame a body in no way at all.
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = httpRequest({ ...to, headers: { authorization: `Bearer ${token}`, ...length, ...headers } })
    const answer = new Promise<OpenAnswer>((resolve, reject) => {
      request.once('response', (response) => resolve(new OpenAnswer(request, response)))
      request.once('error', reject)
    })
    answer.catch(() => undefined)
    if (!open) request.end(body)
    return { request, answer }
  }

  /** The same, and waits for the head of the answer. */
  open(target: string, options: AskOptions = {}): Promise<OpenAnswer> {
    return this.begin(target, options).answer
  }

  /** POSTs JSON. */
  post(target: string, body: string | object, options: AskOptions = {}): Promise<Answer> {
    return this.ask(target, {
      method: 'POST',
      ...options,
      headers: { 'content-type': 'application/json', ...options.headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  /** The official SDK, without retries of its own. */
  client(token: string = this.guarded.token, headers: Readonly<Record<string, string>> = {}): OpenAI {
    return new OpenAI({ baseURL: `${this.guarded.url}/v1`, apiKey: token, maxRetries: 0, defaultHeaders: headers })
  }

  /** The same, and reads the answer to its end. */
  async ask(target: string, options: AskOptions = {}): Promise<Answer> {
    const answer = await this.open(target, options)
    const { body, complete } = await answer.rest()
    const { status, headers, stream } = answer
    return { status, headers, rawHeaders: stream.rawHeaders, body, text: body.toString(), complete }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guarded[Symbol.asyncDispose]()
  }
}

export async function startPassing(env: Readonly<Record<string, string>> = {}): Promise<Passing> {
  return new Passing(await startGuarded({ ...KEYS, ...env }))
}
