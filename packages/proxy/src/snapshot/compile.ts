import {
  compileCondition,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  indexAliases,
  ROUTING_STRATEGIES,
  type Predicate,
  type RoutingStrategy,
  type Snapshot,
  type SnapshotAlias,
  type SnapshotProvider,
  type SnapshotRoute,
  type Timeouts,
} from '@millrace/shared'

import { compileCache } from '../cache/cacheable.ts'
import { Turns } from '../health/turns.ts'
import type { CompiledAlias, CompiledProvider, CompiledRoute, CompiledRouting, ReachedProvider } from './compiled.ts'
import { connectProvider, type CompileContext, type ConnectedProvider } from './connect-provider.ts'

/** A provider, and what was made of it. */
interface Provided {
  readonly settings: SnapshotProvider
  readonly connected: ConnectedProvider
}

/**
 * Makes routing ready to serve by. What a part of it cannot mean here (an unknown provider kind, a credential that does
 * not open, a condition in words that this version does not know) disables that part, with a line in the log; the rest
 * serves. A piece at a time: requests are served in between.
 * @throws Error if it contradicts itself
 */
export function* compileRoutingInSteps(
  routing: Pick<Snapshot, 'providers' | 'aliases'>,
  context: CompileContext,
): Generator<void, CompiledRouting> {
  const providers = new Map<string, Provided>()
  for (const settings of routing.providers) {
    providers.set(settings.id, { settings, connected: connectProvider(settings, context) })
    yield
  }
  const aliases: CompiledAlias[] = []
  for (const alias of routing.aliases) {
    aliases.push(compileAlias(alias, providers, context))
    yield
  }
  const direct = Array.from(providers.values(), (provided) => withDirectAlias(provided, context))
  const reached = new Map<string, ReachedProvider>()
  const passed = new Map<string, CompiledAlias>()
  for (const [id, provided] of providers) {
    const { settings, connected } = provided
    const connection = connected.connection(settings.timeouts)
    if (connection === null) continue
    reached.set(id, { provider: connected.compiled, connection, timeouts: settings.timeouts })
    if (!connection.passthrough) continue
    passed.set(id, ownAlias(provided, connected.compiled, context.health.passedOf(id)))
  }
  return {
    names: indexAliases(aliases, direct),
    passed,
    reached,
    connections: Array.from(providers.values()).flatMap(({ connected }) => [...connected.opened]),
    unopened: Array.from(providers.values()).flatMap(({ connected }) => connected.unopened),
  }
}

function compileAlias(
  alias: SnapshotAlias,
  providers: ReadonlyMap<string, Provided>,
  context: CompileContext,
): CompiledAlias {
  const { id, name, projectId, enabled, sticky, retry, hedge, timeouts, unknownParameters } = alias
  return {
    id,
    name,
    projectId,
    enabled,
    createdAt: Math.floor(Date.parse(alias.createdAt) / 1000),
    strategy: strategyOf(alias, context),
    sticky,
    retry,
    hedge,
    unknownParameters,
    hedges: hedge && context.health.hedgesOf(id),
    routes: alias.routes.map((route) => {
      const provided = providers.get(route.providerId)
      if (!provided) throw new Error(`malformed snapshot: route ${route.id} names a provider that is not in it`)
      return compileRoute(route, name, timeouts, provided, context)
    }),
    turns: context.health.turnsOf(id),
    cache: compileCache(alias, (providerId) => providers.get(providerId)!.settings),
  }
}

function compileRoute(
  route: SnapshotRoute,
  alias: string,
  overrides: SnapshotAlias['timeouts'],
  { settings, connected }: Provided,
  context: CompileContext,
): CompiledRoute {
  const { id, providerModel, priority, weight, inputPrice, outputPrice, cachedInputPrice } = route
  const timeouts = overriding(settings.timeouts, overrides)
  const connection = connected.connection(timeouts)
  const condition = conditionOf(route, alias, context)
  return {
    id,
    provider: connected.compiled,
    providerModel,
    priority,
    weight,
    enabled: route.enabled && connection !== null && condition !== undefined,
    condition: condition ?? null,
    timeouts,
    connection,
    prices: { inputPrice, outputPrice, cachedInputPrice },
    health: context.health.routeOf(id),
  }
}

function overriding(provider: Timeouts, alias: SnapshotAlias['timeouts']): Timeouts {
  if (alias === null) return provider
  const { connect, firstToken, idle, total } = provider
  return {
    connect: alias.connect ?? connect,
    firstToken: alias.firstToken ?? firstToken,
    idle: alias.idle ?? idle,
    total: alias.total ?? total,
  }
}

/** Null: every request; undefined: it can't be told which. */
function conditionOf(
  { id, condition }: SnapshotRoute,
  alias: string,
  { log }: CompileContext,
): Predicate | null | undefined {
  if (condition === null) return null
  try {
    return compileCondition(condition)
  } catch (error) {
    log.error({ alias, route: id }, `route disabled, its condition can't be read: ${(error as Error).message}`)
    return undefined
  }
}

function strategyOf({ name, strategy }: SnapshotAlias, { log }: CompileContext): RoutingStrategy {
  if ((ROUTING_STRATEGIES as readonly string[]).includes(strategy)) return strategy as RoutingStrategy
  log.warn({ alias: name }, `strategy ${strategy} is unknown to this version: WEIGHTED in its place`)
  return 'WEIGHTED'
}

/** With what serves NAME/MODEL. */
function withDirectAlias(provided: Provided, context: CompileContext): CompiledProvider {
  const { settings, connected } = provided
  if (!settings.direct) return connected.compiled
  const provider: CompiledProvider = { ...connected.compiled, directAlias: null }
  return { ...provider, directAlias: ownAlias(provided, provider, context.health.directOf(settings.id)) }
}

/** An alias of one route, to a provider that is not found by a model's alias. */
function ownAlias(
  { settings, connected }: Provided,
  provider: CompiledProvider,
  health: CompiledRoute['health'],
): CompiledAlias {
  const connection = connected.connection(settings.timeouts)
  const route: CompiledRoute = {
    id: null,
    provider,
    providerModel: null,
    priority: 0,
    weight: 1,
    enabled: connection !== null,
    condition: null,
    timeouts: settings.timeouts,
    connection,
    prices: { inputPrice: null, outputPrice: null, cachedInputPrice: null },
    health,
  }
  return {
    id: null,
    name: settings.name,
    projectId: null,
    enabled: true,
    createdAt: 0,
    strategy: null,
    sticky: DEFAULT_STICKY,
    retry: DEFAULT_RETRY,
    hedge: null,
    unknownParameters: 'DROP',
    hedges: null,
    routes: [route],
    turns: new Turns(),
    cache: null,
  }
}
