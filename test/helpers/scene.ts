/** What most test files stand on: one upstream and one gateway for the whole file. */
import { after, before } from 'node:test'

import { startGateway, type Gateway, type GatewayOptions, type ProviderOptions } from './gateway.ts'
import { open, send, type Answer, type OpenAnswer } from './http.ts'
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

  /** An alias whose requests are all answered by a behaviour, however often they are tried. */
  async behaving(name: string, behaviour: Behaviour, options: ProviderOptions = {}): Promise<string> {
    this.upstream.on(name, behaviour)
    const own = Object.keys(options).length > 0
    const provider = own ? await this.gateway.addProvider(this.upstream.baseUrl, options) : this.provider
    await this.gateway.addAlias(name, provider, name)
    await this.gateway.untilServed()
    return name
  }

  #headers(headers: Readonly<Record<string, string>>): Record<string, string> {
    return { authorization: `Bearer ${this.gateway.token}`, 'content-type': 'application/json', ...headers }
  }

  /** POSTs a chat completion's body, as it is if it is text, and reads the answer's bytes. */
  chat(body: string | object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return send(this.chatUrl, {
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
    scene.provider = await scene.gateway.addProvider(scene.upstream.baseUrl, { name: 'scene-provider' })
    await scene.gateway.addAlias(scene.alias, scene.provider, scene.providerModel)
    await prepare?.(scene)
    await scene.gateway.untilServed()
  })
  after(() => stack.disposeAsync())
  return scene
}
