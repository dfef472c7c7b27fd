/** A snapshot made ready to explain decisions by, as a proxy makes it ready to serve by. */
import {
  compileCondition,
  indexAliases,
  ROUTING_STRATEGIES,
  type AliasIndex,
  type DecidableRoute,
  type OwnPrices,
  type Predicate,
  type RoutingStrategy,
  type SnapshotAlias,
  type SnapshotProject,
  type SnapshotProvider,
  type SnapshotRoute,
  type SnapshotToken,
  type StickyPolicy,
} from '@millrace/shared'

import type { Revised } from '../snapshot/build.ts'

export interface ExplainedRoute extends DecidableRoute {
  /** Null where a provider is addressed directly. */
  readonly id: string | null
  readonly provider: SnapshotProvider
  readonly providerModel: string | null
  readonly prices: OwnPrices
}

export interface ExplainedAlias {
  readonly id: string
  readonly name: string
  readonly projectId: string | null
  readonly strategy: RoutingStrategy
  readonly sticky: StickyPolicy
  readonly routes: readonly ExplainedRoute[]
}

export interface Configuration {
  readonly revision: number
  readonly names: AliasIndex<ExplainedAlias, SnapshotProvider>
  readonly projects: ReadonlyMap<string, SnapshotProject>
  readonly tokens: ReadonlyMap<string, SnapshotToken>
}

/** @param tokens today's, whatever the revision */
export function explained(
  { revision, providers, aliases, projects }: Revised,
  tokens: ReadonlyMap<string, SnapshotToken>,
): Configuration {
  const providerOf = byId(providers)
  return {
    revision,
    names: indexAliases(
      aliases.map((alias) => explainedAlias(alias, providerOf)),
      providers,
    ),
    projects: byId(projects),
    tokens,
  }
}

/** What NAME/MODEL goes by. */
export function directRoute(provider: SnapshotProvider): ExplainedRoute {
  return {
    id: null,
    provider,
    providerModel: null,
    priority: 0,
    weight: 1,
    enabled: provider.enabled,
    condition: null,
    prices: { inputPrice: null, outputPrice: null, cachedInputPrice: null },
  }
}

function explainedAlias(alias: SnapshotAlias, providers: ReadonlyMap<string, SnapshotProvider>): ExplainedAlias {
  const { id, name, projectId, sticky } = alias
  const routes = alias.routes.flatMap((route) => {
    const provider = providers.get(route.providerId)
    return provider ? [explainedRoute(route, provider, alias.enabled)] : []
  })
  return { id, name, projectId, strategy: strategyOf(alias), sticky, routes }
}

function explainedRoute(route: SnapshotRoute, provider: SnapshotProvider, aliasEnabled: boolean): ExplainedRoute {
  const { id, providerModel, priority, weight, inputPrice, outputPrice, cachedInputPrice } = route
  const condition = conditionOf(route)
  return {
    id,
    provider,
    providerModel,
    priority,
    weight,
    enabled: aliasEnabled && route.enabled && provider.enabled && condition !== undefined,
    condition: condition ?? null,
    prices: { inputPrice, outputPrice, cachedInputPrice },
  }
}

/** Null: every request; undefined: it can't be told which. */
function conditionOf({ condition }: SnapshotRoute): Predicate | null | undefined {
  try {
    return condition === null ? null : compileCondition(condition)
  } catch {
    return undefined
  }
}

function strategyOf({ strategy }: SnapshotAlias): RoutingStrategy {
  return ROUTING_STRATEGIES.find((known) => known === strategy) ?? 'WEIGHTED'
}

function byId<T extends { readonly id: string }>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [row.id, row]))
}
