/** A proxy that passes requests on, and an upstream that answers by their paths. */
import { request as httpRequest, type ClientRequest } from 'node:http'

import { fingerprint, newId, type SnapshotProvider } from '@millrace/shared'

import { OpenAnswer, type Answer } from '../../helpers/http.ts'
import type { Behaviour, SeenRequest } from '../../helpers/upstream.ts'
import { raw, type JsonOptions } from '../../helpers/upstream/answers.ts'
import { refuse } from '../../helpers/upstream/failures.ts'
import { startGuarded, type Guarded } from '../access/guarded.ts'

export interface AskOptions {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
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

  constructor(guarded: Guarded) {
    this.guarded = guarded
    guarded.upstream.on('', (exchange) => {
      const page = this.#pages.get(exchange.seen.url.split('?', 1)[0]!)
      return (page ?? refuse(404, { message: 'no such page' }))(exchange)
    })
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

  /** Sends a request whose target is written just so. */
  begin(target: string, { method = 'GET', token = this.guarded.token, headers }: AskOptions = {}): Begun {
    const { hostname, port } = new URL(this.guarded.url)
    const options = { hostname, port, path: target, method, agent: false }
    const request = httpRequest({ ...options, headers: { authorization: `Bearer ${token}`, ...headers } })
    const answer = new Promise<OpenAnswer>((resolve, reject) => {
      request.once('response', (response) => resolve(new OpenAnswer(request, response)))
      request.once('error', reject)
    })
    answer.catch(() => undefined)
    request.end()
    return { request, answer }
  }

  /** The same, and waits for the head of the answer. */
  open(target: string, options: AskOptions = {}): Promise<OpenAnswer> {
    return this.begin(target, options).answer
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
