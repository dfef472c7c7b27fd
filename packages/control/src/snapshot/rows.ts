/**
 * The whole configuration as it is stored. Raw SQL, since entities of ten thousand tokens would cost ten times as much.
 * A column has the name that it has in descriptions of changes (revisions/difference.ts).
 */
import type {
  BreakerPolicy,
  HedgePolicy,
  RetryPolicy,
  SnapshotAlias,
  SnapshotCredential,
  SnapshotProject,
  SnapshotProvider,
  SnapshotRoute,
  SnapshotToken,
  StickyPolicy,
  Timeouts,
} from '@millrace/shared'

import type { Em } from '../db/database.ts'

/** Of policies only what was set. */
export type ProviderRow = Omit<SnapshotProvider, 'credentials' | 'timeouts' | 'breaker'> & {
  readonly timeouts: Partial<Timeouts>
  readonly breaker: Partial<BreakerPolicy>
}
export type CredentialRow = Omit<SnapshotCredential, 'secret'> & {
  readonly providerId: string
  readonly enabled: boolean
  /** One of both is null. */
  readonly sealed: string | null
  readonly env: string | null
}
/** Of policies only what was set. */
export type AliasRow = Omit<SnapshotAlias, 'routes' | 'sticky' | 'retry' | 'hedge' | 'timeouts'> & {
  readonly sticky: Partial<StickyPolicy>
  readonly retry: Partial<RetryPolicy>
  readonly hedge: Partial<HedgePolicy> | null
  readonly timeouts: Partial<Timeouts>
}
type Prices = 'inputPrice' | 'outputPrice' | 'cachedInputPrice'
export type RouteRow = Omit<SnapshotRoute, Prices> &
  Readonly<Record<Prices, string | null>> & {
    readonly aliasId: string
    readonly position: number
  }

export interface ConfigurationRows {
  readonly providers: readonly ProviderRow[]
  /** In the order in which they were entered. */
  readonly credentials: readonly CredentialRow[]
  readonly aliases: readonly AliasRow[]
  /** By priority, and within one in the order in which they were given. */
  readonly routes: readonly RouteRow[]
  readonly projects: readonly SnapshotProject[]
  readonly tokens: readonly SnapshotToken[]
}

/** ISO 8601, which the driver's own rendering of a timestamp is not. */
const instant = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const PROVIDERS = `select id, name, kind, base_url as "baseUrl", enabled, direct, max_concurrency as "maxConcurrency", timeouts,
  breaker, forced_breaker as "forcedBreaker", ${instant('breaker_set_at')} as "breakerSetAt", settings
  from provider order by name`
const CREDENTIALS = `select id, provider_id as "providerId", project_id as "projectId", fingerprint, enabled, sealed, env
  from provider_credential order by created_at, id`
const ALIASES = `select id, name, project_id as "projectId", enabled, strategy, sticky, retry, hedge, timeouts,
  ${instant('created_at')} as "createdAt"
  from alias order by name, id`
const ROUTES = `select id, alias_id as "aliasId", provider_id as "providerId", provider_model as "providerModel", priority, weight,
  enabled, condition, input_price::text as "inputPrice", output_price::text as "outputPrice",
  cached_input_price::text as "cachedInputPrice", position
  from route order by alias_id, priority, position`
const PROJECTS = 'select id, name, active from project order by name'
const TOKENS = `select id, name, project_id as "projectId", digest, revoked_at is not null as revoked,
  ${instant('expires_at')} as "expiresAt", coalesce((access->>'ownKeys')::boolean, false) as "ownKeys"
  from token order by id`

export async function readRows(em: Em): Promise<ConfigurationRows> {
  return {
    providers: await em.execute<ProviderRow[]>(PROVIDERS),
    credentials: await em.execute<CredentialRow[]>(CREDENTIALS),
    aliases: await em.execute<AliasRow[]>(ALIASES),
    routes: await em.execute<RouteRow[]>(ROUTES),
    projects: await em.execute<SnapshotProject[]>(PROJECTS),
    tokens: await em.execute<SnapshotToken[]>(TOKENS),
  }
}
