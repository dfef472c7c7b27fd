/** Explanations of where requests would go, and what they are about. */
import { createAlias, createProvider, type AliasOptions, type RouteOptions } from '../helpers/configuration.ts'
import type { ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import type { Stage } from './suites.ts'

const EXPLAIN = `query ($input: ExplainRouteInput!) { it: explainRoute(input: $input) {
  id requestId at model strategy configRevision errorClass upstreamStatus latencyMs fallbackUsed userKey conversationKey
  alias { id name } project { id } token { id } selectedRoute { id } attempts { index }
  candidates { routeId providerName providerModel priority weight score excluded selected route { id } provider { id name } }
  sticky { scope key hit action backend boundAt expiresAt }
} }`

/** An alias that was made. */
export interface Made {
  readonly id: string
  readonly name: string
  /** Their ids, in the order in which they were given. */
  readonly routes: readonly string[]
}

export class Explaining {
  readonly #stage: Stage

  constructor(stage: Stage) {
    this.#stage = stage
  }

  get control(): ControlProcess {
    return this.#stage.control
  }

  async explain(input: object): Promise<any> {
    return (await this.control.gql(EXPLAIN, { input })).it
  }

  simulator(more = {}): Promise<string> {
    return createProvider(this.control, null, { kind: 'SIMULATED', ...more })
  }

  async alias(routes: RouteOptions[], options: AliasOptions = {}, name = uniqueName('model')): Promise<Made> {
    const id = await createAlias(this.control, name, routes, options)
    const { it } = await this.control.gql('query ($id: ID) { it: alias(id: $id) { routes { id } } }', { id })
    return { id, name, routes: it.routes.map((route: any) => route.id) }
  }
}

/** What kept each of a decision's candidates from being taken. */
export function excluded(decision: any): (string | null)[] {
  return decision.candidates.map((one: any) => one.excluded)
}

/** The place of the one that would be tried first; -1: none. */
export function chosen(decision: any): number {
  return decision.candidates.findIndex((one: any) => one.selected)
}

/** Milliseconds from now, as records and reports write them. */
export function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString()
}
