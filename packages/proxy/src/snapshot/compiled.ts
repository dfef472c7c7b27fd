/**
 * The configuration as requests read it: Maps instead of lists, secrets opened, providers connected, conditions compiled.
 * Made whole beside the running one and never changed afterwards; what is learnt while serving lives in health/.
 */
import type {
  AliasIndex,
  DecidableRoute,
  HedgePolicy,
  RetryPolicy,
  RoutingStrategy,
  StickyPolicy,
  Timeouts,
} from '@millrace/shared'

import type { CompiledAccess } from '../access/access.ts'
import type { CompiledCache } from '../cache/cacheable.ts'
import type { CredentialHealth } from '../health/credential-health.ts'
import type { HedgeBudget } from '../health/hedge-budget.ts'
import type { ProviderHealth } from '../health/provider-health.ts'
import type { RouteHealth } from '../health/route-health.ts'
import type { Turns } from '../health/turns.ts'
import type { LimitedSubject } from '../limits/store.ts'
import type { Connection } from '../providers/provider.ts'
import type { TokenTable } from './token-table.ts'

export interface CompiledSnapshot extends CompiledRouting {
  readonly revision: number
  /** By which the control plane knows its revisions again. */
  readonly mark: string
  /** The one thing that a later snapshot may share with this and change. */
  readonly tokens: TokenTable
  /** By id. */
  readonly projects: ReadonlyMap<string, CompiledProject>
}

/** What requests are routed by. Shared by the snapshots between which it did not change. */
export interface CompiledRouting {
  readonly names: AliasIndex<CompiledAlias, CompiledProvider>
  /** What serves paths that are passed on as they come: of each provider that takes any, by its id, an alias that nothing names. */
  readonly passed: ReadonlyMap<string, CompiledAlias>
  /** By its id, how each provider that can be used here is reached, whichever name leads to it. */
  readonly reached: ReadonlyMap<string, ReachedProvider>
  readonly connections: readonly Connection[]
  /** The ids of upstream keys that can't be used here. */
  readonly unopened: readonly string[]
}

export interface CompiledToken {
  readonly id: string
  readonly name: string
  readonly projectId: string
  readonly revoked: boolean
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null
  /** Null: nothing is limited. */
  readonly limited: LimitedSubject | null
  /** Null: the default. */
  readonly access: CompiledAccess | null
}

export interface CompiledProject {
  readonly id: string
  readonly name: string
  readonly active: boolean
  readonly limited: LimitedSubject | null
}

export interface CompiledAlias {
  /** Null where a provider is addressed directly. */
  readonly id: string | null
  readonly name: string
  readonly projectId: string | null
  readonly enabled: boolean
  /** Seconds since the epoch. */
  readonly createdAt: number
  /** Null where there is nothing to choose between. */
  readonly strategy: RoutingStrategy | null
  readonly sticky: StickyPolicy
  readonly retry: RetryPolicy
  readonly hedge: HedgePolicy | null
  /** What becomes of parameters that a provider doesn't know: DROP, or REFUSE. */
  readonly unknownParameters: string
  /** Null without a {@link hedge}. */
  readonly hedges: HedgeBudget | null
  readonly routes: readonly CompiledRoute[]
  readonly turns: Turns
  /** Null: its answers are neither stored nor shared. */
  readonly cache: CompiledCache | null
}

export interface CompiledRoute extends DecidableRoute {
  /** Null where a provider is addressed directly. */
  readonly id: string | null
  readonly provider: CompiledProvider
  /** Null: the model that was asked for. A `*` at its end stands for what the alias's `*` did. */
  readonly providerModel: string | null
  /** The alias's over the provider's. */
  readonly timeouts: Timeouts
  /** Null where the provider can't be used here; then the route is not enabled. */
  readonly connection: Connection | null
  readonly prices: RoutePrices
  readonly health: RouteHealth
}

/** USD per million tokens; null: the price list's. */
export interface RoutePrices {
  readonly inputPrice: number | null
  readonly outputPrice: number | null
  readonly cachedInputPrice: number | null
}

export interface CompiledProvider {
  readonly id: string
  readonly name: string
  /** {@link name} as a header can carry it. */
  readonly headerName: string
  readonly kind: string
  readonly baseUrl: string | null
  readonly direct: boolean
  /** Null: everything is allowed. */
  readonly access: CompiledAccess | null
  readonly health: ProviderHealth
  /** Paths of endpoints that nothing of it could stand in for. */
  readonly unserved: ReadonlySet<string>
  /** The headers that carry an upstream key, names and values in turn. */
  authorize(apiKey: string): readonly string[]
  /** Whether requests may go to it only with an upstream key. */
  readonly needsCredential: boolean
  readonly sharedCredentials: readonly Credential[]
  /** Of each project that has keys of its own; of none of them, if none can be used here. */
  readonly projectCredentials: ReadonlyMap<string, readonly Credential[]>
  /** What serves NAME/MODEL; null unless it is {@link direct}. */
  readonly directAlias: CompiledAlias | null
}

/** A provider, and the way to it by its own timeouts. */
export interface ReachedProvider {
  readonly provider: CompiledProvider
  readonly connection: Connection
  readonly timeouts: Timeouts
}

/** An upstream key, opened. Lives in memory only; must never be logged or recorded. */
export interface Credential {
  readonly source: 'REQUEST' | 'PROJECT' | 'PROVIDER'
  readonly fingerprint: string
  readonly apiKey: string
  /** The headers that carry it, names and values in turn. */
  readonly headers: readonly string[]
  readonly health: CredentialHealth
}
