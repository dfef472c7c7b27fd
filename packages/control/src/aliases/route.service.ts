import { newId } from '@millrace/shared'
import type * as z from 'zod'

import { ownersOf } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import { badInput } from '../graphql/errors.ts'
import { readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { Provider } from '../providers/provider.entity.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import { whole, type Description, type Subject } from '../revisions/difference.ts'
import { Alias } from './alias.entity.ts'
import { Route } from './route.entity.ts'
import { ROUTE_DEFAULTS, routeInput, updateRouteInput } from './route.input.ts'
import type { RouteInput, UpdateRouteInput } from './route.type.ts'
import { isWildcard } from './wildcard.ts'

/** The ways to serve an alias. */
export class RouteService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  addTo(actor: Actor, aliasId: string, given: RouteInput): Promise<Route> {
    const input = readInput(routeInput, given)
    return changeConfiguration(this.#database, actor, 'addRoute', async (change) => {
      const alias = await requireRow(change.em, Alias, aliasId, 'alias', 'alias')
      const last = await change.em.findOne(Route, { alias: alias.id }, { orderBy: { position: 'desc' } })
      return this.add(change, alias, input, last ? last.position + 1 : 0, 'input')
    })
  }

  /**
   * As {@link addTo}, within a change under way.
   * @param position among the routes of its priority
   * @param path what the input is called in the operation
   */
  async add(
    change: Change,
    alias: Alias,
    input: z.output<typeof routeInput>,
    position: number,
    path: string,
  ): Promise<Route> {
    const provider = await requireRow(change.em, Provider, input.provider, 'provider', `${path}.provider`)
    requireWildcard(alias, input.providerModel, `${path}.providerModel`)
    const route = Object.assign(new Route(), {
      id: newId(),
      alias: alias.id,
      provider: provider.id,
      name: input.name ?? null,
      providerModel: input.providerModel ?? null,
      priority: input.priority ?? ROUTE_DEFAULTS.priority,
      weight: input.weight ?? ROUTE_DEFAULTS.weight,
      enabled: input.enabled ?? ROUTE_DEFAULTS.enabled,
      condition: input.condition ?? null,
      inputPrice: input.inputPrice ?? null,
      outputPrice: input.outputPrice ?? null,
      cachedInputPrice: input.cachedInputPrice ?? null,
      position,
    })
    change.em.persist(route)
    change.projectId = alias.project
    change.created(subjectOf(route, alias, provider), describe(route, provider))
    return route
  }

  update(actor: Actor, id: string, given: UpdateRouteInput): Promise<Route> {
    const input = readInput(updateRouteInput, given)
    return changeConfiguration(this.#database, actor, 'updateRoute', async (change) => {
      const { route, alias, provider } = await this.#require(change, id)
      requireWildcard(alias, input.providerModel, 'input.providerModel')
      const before = describe(route, provider)
      if (input.name !== undefined) route.name = input.name
      if (input.providerModel !== undefined) route.providerModel = input.providerModel
      if (input.priority !== undefined) route.priority = input.priority ?? ROUTE_DEFAULTS.priority
      if (input.weight !== undefined) route.weight = input.weight ?? ROUTE_DEFAULTS.weight
      if (input.enabled !== undefined) route.enabled = input.enabled ?? ROUTE_DEFAULTS.enabled
      if (input.condition !== undefined) route.condition = input.condition
      if (input.inputPrice !== undefined) route.inputPrice = input.inputPrice
      if (input.outputPrice !== undefined) route.outputPrice = input.outputPrice
      if (input.cachedInputPrice !== undefined) route.cachedInputPrice = input.cachedInputPrice
      change.updated(subjectOf(route, alias, provider), before, describe(route, provider))
      return route
    })
  }

  remove(actor: Actor, id: string): Promise<boolean> {
    return changeConfiguration(this.#database, actor, 'deleteRoute', async (change) => {
      const { route, alias, provider } = await this.#require(change, id)
      change.em.remove(route)
      change.deleted(subjectOf(route, alias, provider), describe(route, provider))
      return true
    })
  }

  /** An alias goes, and its routes with it. */
  async removeAll(change: Change, alias: Alias): Promise<void> {
    const routes = await change.em.find(Route, { alias: alias.id })
    const providers = await change.em.find(Provider, { id: { $in: routes.map(({ provider }) => provider) } })
    for (const route of routes) {
      const provider = providers.find(({ id }) => id === route.provider)!
      change.em.remove(route)
      change.deleted(subjectOf(route, alias, provider), describe(route, provider))
    }
  }

  async #require(change: Change, id: string): Promise<{ route: Route; alias: Alias; provider: Provider }> {
    const route = await requireRow(change.em, Route, id, 'route')
    const alias = await change.em.findOneOrFail(Alias, { id: route.alias })
    const provider = await change.em.findOneOrFail(Provider, { id: route.provider })
    change.projectId = alias.project
    return { route, alias, provider }
  }
}

/** @throws GraphQLError BAD_USER_INPUT where the provider's model would need a `*` that the alias's name doesn't have */
function requireWildcard(alias: Alias, providerModel: string | null | undefined, field: string): void {
  if (providerModel == null || !isWildcard(providerModel) || isWildcard(alias.name)) return
  throw badInput(field, "may end in * only where the alias's name does")
}

function subjectOf({ id, position }: Route, alias: Alias, provider: Provider): Subject {
  const identity = { id, aliasId: alias.id, providerId: provider.id, position }
  return { kind: 'route', name: `${alias.name} to ${provider.name}`, identity, owners: ownersOf(alias.project) }
}

function describe(route: Route, provider: Provider): Description {
  const { name, providerModel, priority, weight, enabled } = route
  const { condition, inputPrice, outputPrice, cachedInputPrice } = route
  return {
    provider: provider.name,
    name,
    providerModel,
    priority,
    weight,
    enabled,
    condition: whole(condition),
    inputPrice,
    outputPrice,
    cachedInputPrice,
  }
}
