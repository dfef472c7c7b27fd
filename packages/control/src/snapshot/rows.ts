/**
 * The configuration as it is stored. Raw SQL, since entities of ten thousand tokens would cost ten times as much.
 * A column has the name that it has in descriptions of changes (revisions/difference.ts).
 */
import type {
  Access,
  BreakerPolicy,
  CachePolicy,
  HedgePolicy,
  Limits,
  RetryPolicy,
  SnapshotAlias,
  SnapshotCredential,
  SnapshotProject,
  SnapshotProvider,
  SnapshotRoute,
  SnapshotSecret,
  SnapshotToken,
  StickyPolicy,
  Timeouts,
} from '@millrace/shared'

import type { Em } from '../db/database.ts'

/** Of policies only what was set. */
export type ProviderRow = Omit<SnapshotProvider, 'credentials' | 'timeouts' | 'breaker' | 'access'> & {
  readonly timeouts: Partial<Timeouts>
  readonly breaker: Partial<BreakerPolicy>
  readonly access: Partial<Access>
}
export type CredentialRow = Omit<SnapshotCredential, 'secret'> & {
  readonly providerId: string
  readonly enabled: boolean
  /** One of both is null. */
  readonly sealed: string | null
  readonly env: string | null
}
/** Of policies only what was set. */
export type AliasRow = Omit<SnapshotAlias, 'routes' | 'sticky' | 'retry' | 'hedge' | 'cache' | 'timeouts'> & {
  readonly sticky: Partial<StickyPolicy>
  readonly retry: Partial<RetryPolicy>
  readonly hedge: Partial<HedgePolicy> | null
  readonly cache: Partial<CachePolicy>
  readonly timeouts: Partial<Timeouts>
}
type Prices = 'inputPrice' | 'outputPrice' | 'cachedInputPrice'
export type RouteRow = Omit<SnapshotRoute, Prices> &
  Readonly<Record<Prices, string | null>> & {
    readonly aliasId: string
    readonly position: number
  }
/** Of limits only what was set. */
export type ProjectRow = Omit<SnapshotProject, 'limits' | 'used'> & { readonly limits: Partial<Limits> }
/** Of limits and access only what was set. */
export type TokenRow = Omit<SnapshotToken, 'secrets' | 'limits' | 'used' | 'access'> & {
  readonly prefix: string
  readonly digest: string
  /** The secrets that were replaced, the last one first. */
  readonly retired: readonly SnapshotSecret[]
  readonly limits: Partial<Limits>
  readonly access: Partial<Access>
}

/** What requests are routed by. */
export interface RoutingRows {
  readonly providers: readonly ProviderRow[]
  /** In the order in which they were entered. */
  readonly credentials: readonly CredentialRow[]
  readonly aliases: readonly AliasRow[]
  /** By priority, and within one in the order in which they were given. */
  readonly routes: readonly RouteRow[]
}

/** Tokens in one page. */
const PAGE = 2_000
/** Before every other. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

/** ISO 8601, which the driver's own rendering of a timestamp is not. */
export const instant = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const PROVIDERS = `select id, name, kind, base_url as "baseUrl", enabled, direct, max_concurrency as "maxConcurrency", timeouts,
  breaker, forced_breaker as "forcedBreaker", ${instant('breaker_set_at')} as "breakerSetAt", settings,
  access
  from provider order by name`
const CREDENTIALS = `select id, provider_id as "providerId", project_id as "projectId", fingerprint, enabled, sealed, env
  from provider_credential order by created_at, id`
const ALIASES = `select id, name, project_id as "projectId", enabled, strategy, sticky, retry, hedge, cache, timeouts,
  unknown_parameters as "unknownParameters", ${instant('created_at')} as "createdAt"
  from alias order by name, id`
const ROUTES = `select id, alias_id as "aliasId", provider_id as "providerId", provider_model as "providerModel", priority, weight,
  enabled, condition, input_price::text as "inputPrice", output_price::text as "outputPrice",
  cached_input_price::text as "cachedInputPrice", position
  from route order by alias_id, priority, position`
const PROJECTS = 'select id, name, active, limits, budget from project order by name'
const TOKENS = `select id, name, project_id as "projectId", prefix, digest, retired, revoked_at is not null as revoked,
  ${instant('expires_at')} as "expiresAt", max_requests as "maxRequests", limits, budget, access
  from token`

/** What requests are routed by. */
export async function readRouting(em: Em): Promise<RoutingRows> {
  return {
    providers: await em.execute<ProviderRow[]>(PROVIDERS),
    credentials: await em.execute<CredentialRow[]>(CREDENTIALS),
    aliases: await em.execute<AliasRow[]>(ALIASES),
    routes: await em.execute<RouteRow[]>(ROUTES),
  }
}

export function readProjects(em: Em): Promise<ProjectRow[]> {
  return em.execute<ProjectRow[]>(PROJECTS)
}

/** Those that there are of them. */
export function readTokens(em: Em, ids: readonly string[]): Promise<TokenRow[]> {
  // As PostgreSQL writes an array: the driver would spread a list over as many parameters.
  return em.execute<TokenRow[]>(`${TOKENS} where id = any(?::uuid[])`, [`{${ids.join(',')}}`])
}

/**
 * All tokens, a page at a time: there may be 100,000.
 * @param projectId of this project only
 */
export async function* readAllTokens(em: Em, projectId: string | null = null): AsyncGenerator<readonly TokenRow[]> {
  const [where, values] = projectId === null ? ['', []] : ['project_id = ? and ', [projectId]]
  for (let after = FIRST_ID; ;) {
    const sql = `${TOKENS} where ${where}id > ? order by id limit ?`
    const page = await em.execute<TokenRow[]>(sql, [...values, after, PAGE])
    yield page
    if (page.length < PAGE) return
    after = page.at(-1)!.id
  }
}
