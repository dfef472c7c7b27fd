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

import type { CredentialHealth } from '../health/credential-health.ts'
import type { HedgeBudget } from '../health/hedge-budget.ts'
import type { ProviderHealth } from '../health/provider-health.ts'
import type { RouteHealth } from '../health/route-health.ts'
import type { Turns } from '../health/turns.ts'
import type { Connection } from '../providers/provider.ts'

export interface CompiledSnapshot {
  readonly revision: number
  /** By the SHA-256 digest of the secret. */
  readonly tokens: ReadonlyMap<string, CompiledToken>
  readonly names: AliasIndex<CompiledAlias, CompiledProvider>
  readonly connections: readonly Connection[]
  /** The ids of upstream keys that can't be used here. */
  readonly unopened: readonly string[]
}

export interface CompiledToken {
  readonly id: string
  readonly name: string
  readonly project: CompiledProject
  readonly revoked: boolean
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null
  /** Whether its clients may bring an upstream key of their own. */
  readonly ownKeys: boolean
}

export interface CompiledProject {
  readonly id: string
  readonly name: string
  readonly active: boolean
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
  /** Null without a {@link hedge}. */
  readonly hedges: HedgeBudget | null
  readonly routes: readonly CompiledRoute[]
  readonly turns: Turns
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
  readonly health: ProviderHealth
  /** The headers that carry an upstream key, names and values in turn. */
  authorize(apiKey: string): readonly string[]
  /** Whether requests may go to it only with an upstream key. */
  readonly needsCredential: boolean
  readonly sharedCredentials: readonly Credential[]
  readonly projectCredentials: ReadonlyMap<string, readonly Credential[]>
  /** What serves NAME/MODEL; null unless it is {@link direct}. */
  readonly directAlias: CompiledAlias | null
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
