/** An alias of several routes, each at a provider of its own: what becomes of one tells nothing of another. */
import { createAlias, createProvider, QUICK_RETRY } from './configuration.ts'
import type { AliasOptions, ProviderOptions, RouteOptions } from './configuration.ts'
import type { ControlProcess } from './control.ts'
import type { Answer } from './http.ts'
import { uniqueName } from './names.ts'
import type { StoredDecision } from './stored-record.ts'
import type { Behaviour, SeenRequest, Upstream } from './upstream.ts'

/** One route; its provider's model and name are made up. */
export interface RouteSpec extends Omit<RouteOptions, 'provider' | 'providerModel'> {
  /** Else it answers well. */
  readonly behaviour?: Behaviour
  readonly provider?: Omit<ProviderOptions, 'name'>
  /** Another address than the upstream's. */
  readonly baseUrl?: string
}

interface Place {
  readonly provider: string
  /** The provider's name, and its name of the model. */
  readonly name: string
}

export class Routed<K extends string> {
  /** The alias's name. */
  readonly model: string
  readonly aliasId: string
  readonly #upstream: Upstream
  readonly #places: Readonly<Record<K, Place>>

  constructor(model: string, aliasId: string, upstream: Upstream, places: Readonly<Record<K, Place>>) {
    this.model = model
    this.aliasId = aliasId
    this.#upstream = upstream
    this.#places = places
  }

  /** The id of a route's provider. */
  provider(key: K): string {
    return this.#places[key].provider
  }

  /** The name of a route's provider, which is also that provider's name of the model. */
  nameOf(key: K): string {
    return this.#places[key].name
  }

  /** How a route's provider answers from now on. */
  behaves(key: K, behaviour: Behaviour): void {
    this.#upstream.on(this.nameOf(key), behaviour)
  }

  /** The requests that a route's provider has seen, in their order. */
  seen(key: K): SeenRequest[] {
    const name = this.nameOf(key)
    return this.#upstream.requests.filter(({ model }) => model === name)
  }

  /** How many those are. */
  calls(key: K): number {
    return this.seen(key).length
  }

  /** Which route answered. */
  by(answer: Pick<Answer, 'status' | 'headers' | 'text'>): K {
    if (answer.status !== 200) throw new Error(`not answered: ${answer.status} ${answer.text}`)
    return this.#keyOf(String(answer.headers['x-millrace-model']))
  }

  /** How often each route was the one, of those that were at all. */
  count(answers: readonly Pick<Answer, 'status' | 'headers' | 'text'>[]): Partial<Record<K, number>> {
    const counts: Partial<Record<K, number>> = {}
    for (const answer of answers) {
      const key = this.by(answer)
      counts[key] = (counts[key] ?? 0) + 1
    }
    return counts
  }

  /** The route that a decision says was selected; null: none. */
  selected(decision: Pick<StoredDecision, 'candidates'>): K | null {
    const selected = decision.candidates.filter((candidate) => candidate.selected)
    if (selected.length > 1) throw new Error(`${selected.length} routes selected`)
    return selected[0] ? this.#keyOf(selected[0].providerModel) : null
  }

  /** What kept each route from being a candidate. */
  excluded(decision: Pick<StoredDecision, 'candidates'>): Record<K, string | null> {
    const entries = decision.candidates.map((one) => [this.#keyOf(one.providerModel), one.excluded])
    return Object.fromEntries(entries) as Record<K, string | null>
  }

  /** The routes of attempts, in their order. */
  order(attempts: readonly { readonly providerModel: string }[]): K[] {
    return attempts.map(({ providerModel }) => this.#keyOf(providerModel))
  }

  #keyOf(name: string): K {
    for (const key in this.#places) if (this.#places[key].name === name) return key
    throw new Error(`no route has the model ${name}`)
  }
}

/** Makes one. Requests have quick retries unless told otherwise. */
export async function addRouted<K extends string>(
  control: ControlProcess,
  upstream: Upstream,
  routes: Readonly<Record<K, RouteSpec>>,
  options: AliasOptions & { alias?: string } = {},
): Promise<Routed<K>> {
  const { alias = uniqueName('routed'), ...policies } = options
  const places = {} as Record<K, Place>
  const list: RouteOptions[] = []
  for (const key in routes) {
    const spec: RouteSpec = routes[key]
    const { behaviour, provider: settings = {}, baseUrl = upstream.baseUrl, ...route } = spec
    const name = uniqueName(key)
    const provider = await createProvider(control, baseUrl, { name, ...settings })
    places[key] = { provider, name }
    if (behaviour) upstream.on(name, behaviour)
    list.push({ ...route, provider, providerModel: name })
  }
  const id = await createAlias(control, alias, list, {
    ...policies,
    retry: { ...QUICK_RETRY, ...policies.retry },
  })
  return new Routed(alias, id, upstream, places)
}
