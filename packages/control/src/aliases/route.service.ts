import { newId } from '@millrace/shared'
import type * as z from 'zod'

import type { Database } from '../db/database.ts'
import { readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { Provider } from '../providers/provider.entity.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description } from '../revisions/difference.ts'
import { Alias } from './alias.entity.ts'
import { routeInput, updateRouteInput } from './alias.input.ts'
import { Route } from './route.entity.ts'
import type { RouteInput, UpdateRouteInput } from './route.type.ts'

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
    const route = Object.assign(new Route(), {
      id: newId(),
      alias: alias.id,
      provider: provider.id,
      name: input.name ?? null,
      providerModel: input.providerModel ?? null,
      priority: input.priority ?? 0,
      weight: input.weight ?? 1,
      enabled: input.enabled ?? true,
      position,
    })
    change.em.persist(route)
    change.projectId = alias.project
    change.created('route', nameOf(alias, provider), describe(route, provider))
    return route
  }

  update(actor: Actor, id: string, given: UpdateRouteInput): Promise<Route> {
    const input = readInput(updateRouteInput, given)
    return changeConfiguration(this.#database, actor, 'updateRoute', async (change) => {
      const { route, alias, provider } = await this.#require(change, id)
      const before = describe(route, provider)
      if (input.name !== undefined) route.name = input.name
      if (input.providerModel !== undefined) route.providerModel = input.providerModel
      if (input.priority !== undefined) route.priority = input.priority
      if (input.weight !== undefined) route.weight = input.weight
      if (input.enabled !== undefined) route.enabled = input.enabled
      change.updated('route', nameOf(alias, provider), before, describe(route, provider))
      return route
    })
  }

  remove(actor: Actor, id: string): Promise<boolean> {
    return changeConfiguration(this.#database, actor, 'deleteRoute', async (change) => {
      const { route, alias, provider } = await this.#require(change, id)
      change.em.remove(route)
      change.deleted('route', nameOf(alias, provider), describe(route, provider))
      return true
    })
  }

  async #require(change: Change, id: string): Promise<{ route: Route; alias: Alias; provider: Provider }> {
    const route = await requireRow(change.em, Route, id, 'route')
    const alias = await change.em.findOneOrFail(Alias, { id: route.alias })
    const provider = await change.em.findOneOrFail(Provider, { id: route.provider })
    change.projectId = alias.project
    return { route, alias, provider }
  }
}

function nameOf(alias: Alias, provider: Provider): string {
  return `${alias.name} to ${provider.name}`
}

function describe({ name, providerModel, priority, weight, enabled }: Route, provider: Provider): Description {
  return { provider: provider.name, name, providerModel, priority, weight, enabled }
}
