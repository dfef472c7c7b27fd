/** What most test files stand on: one upstream and one gateway for the whole file. */
import { after, before } from 'node:test'

import { QUICK_RETRY, type AliasOptions, type ProviderOptions } from './configuration.ts'
import { startGateway, type Gateway, type GatewayOptions } from './gateway.ts'
import { open, send, type Answer, type OpenAnswer } from './http.ts'
import { addRouted, type Routed, type RouteSpec } from './routed.ts'
import { startUpstream, type Behaviour, type Upstream } from './upstream.ts'

export class Scene {
  /** Set from the first test on. */
  upstream!: Upstream
  gateway!: Gateway
  /** A provider before {@link upstream}. */
  provider!: string
  /** An alias of that provider; its provider model is `upstream-model`. */
  alias = 'scene-alias'
  readonly providerModel = 'upstream-model'

  get chatUrl(): string {
    return `${this.gateway.baseUrl}/chat/completions`
  }

  /** An alias, and a provider of its own, whose requests are all answered by a behaviour, however often they are tried. */
  async behaving(
    name: string,
    behaviour: Behaviour,
    options: ProviderOptions = {},
    alias: AliasOptions = {},
  ): Promise<string> {
    this.upstream.on(name, behaviour)
    const provider = await this.gateway.addProvider(this.upstream.baseUrl, options)
    await this.gateway.addAlias(name, [{ provider, providerModel: name }], {
      ...alias,
      retry: { ...QUICK_RETRY, ...alias.retry },
    })
    await this.gateway.untilServed()
    return name
  }

  /** An alias of several routes, each at a provider of its own, served when this returns. */
  async routed<K extends string>(
    routes: Readonly<Record<K, RouteSpec>>,
    options: AliasOptions & { alias?: string } = {},
  ): Promise<Routed<K>> {
    const routed = await addRouted(this.gateway.control, this.upstream, routes, options)
    await this.gateway.untilServed()
    return routed
  }

  #headers(headers: Readonly<Record<string, string>>): Record<string, string> {
    return { authorization: `Bearer ${this.gateway.token}`, 'content-type': 'application/json', ...headers }
  }

  /** POSTs a chat completion's body, as it is if it is text, and reads the answer's bytes. */
  chat(
    body: string | object,
    headers: Readonly<Record<string, string>> = {},
    url: string = this.chatUrl,
  ): Promise<Answer> {
    return send(url, {
      headers: this.#headers(headers),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  /** The same, but returns with the answer's head. */
  open(body: string | object, headers: Readonly<Record<string, string>> = {}): Promise<OpenAnswer> {
    return open(this.chatUrl, {
      headers: this.#headers(headers),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  /** A body with one message. */
  body(model = this.alias, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return { model, messages: [{ role: 'user', content: 'Say hello.' }], ...more }
  }
}

/** Starts both before the file's first test, and ends them after its last. */
export function useScene(options: GatewayOptions = {}, prepare?: (scene: Scene) => Promise<void>): Scene {
  const scene = new Scene()
  const stack = new AsyncDisposableStack()
  before(async () => {
    scene.upstream = stack.use(await startUpstream())
    scene.gateway = stack.use(await startGateway(options))
    const { upstream, gateway, providerModel } = scene
    scene.provider = await gateway.addProvider(upstream.baseUrl, { name: 'scene-provider' })
    await gateway.addAlias(scene.alias, [{ provider: scene.provider, providerModel }])
    await prepare?.(scene)
    await gateway.untilServed()
  })
  after(() => stack.disposeAsync())
  return scene
}
