/** A proxy whose tokens, providers and aliases a test makes up, with whatever access they are to have. */
import { DEFAULT_ACCESS, newId, newSecret, TOKEN_PREFIX } from '@millrace/shared'
import type { Access, RequestRecord, Snapshot, SnapshotProvider, SnapshotToken } from '@millrace/shared'

import type { FakeControl } from '../../helpers/fake-control.ts'
import { send, type Answer } from '../../helpers/http.ts'
import { startLoneProxy, type LoneProxy } from '../../helpers/lone-proxy.ts'
import { uniqueName } from '../../helpers/names.ts'
import type { Upstream } from '../../helpers/upstream.ts'
import { waitFor } from '../../helpers/wait.ts'

type Headers = Readonly<Record<string, string>>
type Provider = Snapshot['providers'][number]
type Route = Snapshot['aliases'][number]['routes'][number]

export interface Token {
  readonly id: string
  readonly secret: string
}

/** A route's provider and model. */
export interface RouteTo {
  readonly access?: Partial<Access>
  readonly providerModel?: string | null
  readonly priority?: number
  readonly condition?: Readonly<Record<string, unknown>>
  /** What becomes of the provider otherwise. */
  readonly provider?: Partial<SnapshotProvider>
}

export class Guarded implements AsyncDisposable {
  /** An alias without conditions. */
  readonly alias: string
  readonly #lone: LoneProxy
  #revision = 0
  #snapshot: Snapshot

  constructor(lone: LoneProxy) {
    this.#lone = lone
    this.alias = lone.configuration.alias
    this.#snapshot = lone.configuration.at(0)
  }

  get url(): string {
    return this.#lone.proxy.url
  }

  /** The proxy's process. */
  get pid(): number {
    return this.#lone.proxy.pid
  }

  get control(): FakeControl {
    return this.#lone.control
  }

  get upstream(): Upstream {
    return this.#lone.upstream
  }

  /** A token without any access of its own. */
  get token(): string {
    return this.#lone.configuration.token
  }

  /** The breaker of the first provider. */
  get breaker(): SnapshotProvider['breaker'] {
    return this.#snapshot.providers[0]!.breaker
  }

  get projectId(): string {
    return this.#snapshot.projects[0]!.id
  }

  /** The project of a token. */
  projectOf(tokenId: string): Snapshot['projects'][number] {
    const { projects, tokens } = this.#snapshot
    const { projectId } = tokens.find(({ id }) => id === tokenId)!
    return projects.find(({ id }) => id === projectId)!
  }

  /** Changes what is to be served from the next {@link serve} on. */
  change(change: (snapshot: Snapshot) => Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change(this.#snapshot) }
  }

  addToken(access: Partial<Access> | null, more: Partial<SnapshotToken> = {}): Token {
    const { secret, prefix, digest } = newSecret(TOKEN_PREFIX)
    const token: SnapshotToken = {
      ...this.#snapshot.tokens[0]!,
      id: newId(),
      secrets: [{ prefix, digest, until: null }],
      access: access && { ...DEFAULT_ACCESS, ...access },
      ...more,
    }
    this.change(({ tokens }) => ({ tokens: [...tokens, token] }))
    return { id: token.id, secret }
  }

  /** A token without any access, of a project that nothing else belongs to. */
  addTokenOfOwnProject(): Token {
    const project = { ...this.#snapshot.projects[0]!, id: newId(), name: uniqueName('project') }
    this.change(({ projects }) => ({ projects: [...projects, project] }))
    return this.addToken(null, { projectId: project.id })
  }

  changeToken(id: string, change: Partial<SnapshotToken>): void {
    this.change(({ tokens }) => ({
      tokens: tokens.map((token) => (token.id === id ? { ...token, ...change } : token)),
    }))
  }

  /** An alias with a provider of its own for each route, which tells its name. */
  addAlias(name: string, routes: Readonly<Record<string, RouteTo>>): void {
    const [{ routes: patterns, ...alias }] = this.#snapshot.aliases as [Snapshot['aliases'][number]]
    const made = Object.entries(routes).map(([provider, to]) => this.#route(provider, to, patterns[0]!))
    this.change(({ aliases }) => ({ aliases: [...aliases, { ...alias, id: newId(), name, routes: made }] }))
  }

  /** Publishes all that was made, and waits until requests are served by it. */
  async serve(): Promise<void> {
    const revision = ++this.#revision
    this.#lone.control.publish({ ...this.#snapshot, revision })
    await waitFor(async () => Number((await this.get('/v1/models')).headers['x-millrace-revision']) === revision, {
      what: `revision ${revision} to be served`,
      timeoutMs: 30_000,
    })
  }

  get(path: string, headers: Headers = {}, method = 'GET'): Promise<Answer> {
    return send(`${this.url}${path}`, { method, headers: { authorization: `Bearer ${this.token}`, ...headers } })
  }

  /** A chat completion. @param body over one with a message */
  chat(body: object = {}, headers: Headers = {}): Promise<Answer> {
    return this.chatText(JSON.stringify(this.body(body)), headers)
  }

  chatText(body: string, headers: Headers = {}): Promise<Answer> {
    return send(this.chatUrl, { headers: this.headers(headers), body })
  }

  get chatUrl(): string {
    return `${this.url}/v1/chat/completions`
  }

  body(more: object = {}): object {
    return { model: this.alias, messages: [{ role: 'user', content: 'Say hello.' }], ...more }
  }

  headers(more: Headers = {}): Record<string, string> {
    return { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...more }
  }

  /** The record of an answer, once it has come. */
  record({ headers }: Pick<Answer, 'headers'>): Promise<RequestRecord> {
    return this.#lone.record(String(headers['x-request-id']))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lone[Symbol.asyncDispose]()
  }

  #route(name: string, { access, provider, ...to }: RouteTo, pattern: Route): Route {
    const id = newId()
    const made: Provider = {
      ...this.#snapshot.providers[0]!,
      id,
      name,
      access: access ? { ...DEFAULT_ACCESS, ...access } : null,
      ...provider,
    }
    this.change(({ providers }) => ({ providers: [...providers, made] }))
    return { ...pattern, id: newId(), providerId: id, ...to }
  }
}

export async function startGuarded(env: Readonly<Record<string, string>> = {}): Promise<Guarded> {
  return new Guarded(await startLoneProxy({ env }))
}

/** The header that carries a token. */
export function bearer({ secret }: { readonly secret: string }): Headers {
  return { authorization: `Bearer ${secret}` }
}
