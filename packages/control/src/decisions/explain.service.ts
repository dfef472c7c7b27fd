import {
  decide,
  findAlias,
  newId,
  PriceList,
  scores,
  type Decision,
  type FoundAlias,
  type FoundProvider,
  type SnapshotProvider,
} from '@millrace/shared'

import type { Scope } from '../access/scope.ts'
import { notFound } from '../graphql/errors.ts'
import type { Fleet } from '../health/fleet.ts'
import type { BindingStore } from '../sticky/binding.store.ts'
import type { RouteCandidateType } from './candidate.type.ts'
import { directRoute, type ExplainedAlias, type ExplainedRoute } from './configuration.ts'
import type { Configurations } from './configurations.ts'
import type { RouteDecisionType } from './decision.type.ts'
import type { ExplainRouteInput } from './explain.type.ts'
import { readExplainInput, requestOf } from './explained-request.ts'
import { FleetView } from './fleet-view.ts'
import { stickyChoice, stickyKeyOf } from './sticky-choice.ts'

type Found = FoundAlias<ExplainedAlias> | FoundProvider<SnapshotProvider>

/** Says where a request would go, without sending it. */
export class ExplainService {
  readonly #configurations: Configurations
  readonly #fleet: Fleet
  readonly #bindings: BindingStore
  readonly #backend: string
  readonly #prices = new PriceList()

  /** @param backend where proxies keep new bindings */
  constructor(configurations: Configurations, fleet: Fleet, bindings: BindingStore, backend: string) {
    this.#configurations = configurations
    this.#fleet = fleet
    this.#bindings = bindings
    this.#backend = backend
  }

  /** @throws GraphQLError BAD_USER_INPUT; NOT_FOUND for a model, token, project or revision that there is not */
  async explain(scope: Scope, given: ExplainRouteInput): Promise<RouteDecisionType> {
    const input = readExplainInput(given)
    const configuration = await this.#configurations.at(input.configRevision ?? null)
    const request = requestOf(scope, input, configuration)
    const { facts, refusal } = request
    const found = findAlias(configuration.names, facts.projectId, input.model)
    if (found === null) throw notFound('model', 'input.model')
    const { alias, routes, model, matched } = wayOf(found)
    const stickyAt = stickyKeyOf(alias, facts)
    const [fleet, binding] = await Promise.all([
      this.#fleet.current(),
      stickyAt.key === null ? null : this.#bindings.find(stickyAt.key),
    ])
    const view = new FleetView(fleet, request, { model, matched }, this.#prices)
    const routed = decide(routes, alias?.strategy ?? null, facts, view)
    const decision = refusal === null ? routed : { ...routed, tier: [], chosen: null }
    const { chosen, sticky } = stickyChoice(stickyAt, binding, decision, this.#backend)
    return {
      id: newId(),
      requestId: null,
      at: new Date(),
      model: input.model,
      aliasId: alias?.id ?? null,
      projectId: facts.projectId,
      tokenId: facts.tokenId,
      strategy: alias?.strategy ?? null,
      candidates: candidatesOf(decision, chosen, alias, view),
      attempts: [],
      sticky,
      selectedRouteId: chosen?.id ?? null,
      fallbackUsed: false,
      userKey: facts.user,
      conversationKey: facts.conversation,
      errorClass: refusal,
      upstreamStatus: null,
      latencyMs: null,
      configRevision: configuration.revision,
    }
  }
}

function wayOf(found: Found): {
  readonly alias: ExplainedAlias | null
  readonly routes: readonly ExplainedRoute[]
  readonly model: string
  readonly matched: string | null
} {
  if ('alias' in found) return { ...found, routes: found.alias.routes }
  return { alias: null, routes: [directRoute(found.provider)], model: found.model, matched: null }
}

function candidatesOf(
  decision: Decision<ExplainedRoute>,
  chosen: ExplainedRoute | null,
  alias: ExplainedAlias | null,
  view: FleetView,
): RouteCandidateType[] {
  const compared = scores(decision, alias?.strategy ?? null, view)
  return decision.routes.map((route, i) => ({
    routeId: route.id,
    providerId: route.provider.id,
    providerName: route.provider.name,
    providerModel: view.providerModelOf(route),
    priority: route.priority,
    weight: route.weight,
    score: compared[i]!,
    excluded: decision.excluded[i]!,
    selected: route === chosen,
  }))
}
