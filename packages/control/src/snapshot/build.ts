/** The configuration as proxies are told it, made of what is stored. */
import { IsolationLevel } from '@mikro-orm/core'
import {
  DEFAULT_ACCESS,
  DEFAULT_BREAKER,
  DEFAULT_CACHE,
  DEFAULT_HEDGE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  DEFAULT_TIMEOUTS,
  NO_LIMITS,
  type Access,
  type Limits,
  type Snapshot,
  type SnapshotAlias,
  type SnapshotCredential,
  type SnapshotProject,
  type SnapshotProvider,
  type SnapshotRoute,
  type SnapshotToken,
} from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'
import type { AliasRow, CredentialRow, ProjectRow, ProviderRow, RouteRow, RoutingRows, TokenRow } from './rows.ts'

/** All that revisions speak of. Tokens are no part of them. */
export type Revised = Pick<Snapshot, 'revision' | 'providers' | 'aliases' | 'projects'>

/** Reads what belongs together, whatever is written meanwhile. */
export function atOneMoment<T>(database: Database, read: (em: Em) => Promise<T>): Promise<T> {
  return database.em().transactional(read, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true })
}

/** What requests are routed by. */
export function toRouting(rows: RoutingRows): Pick<Snapshot, 'providers' | 'aliases'> {
  const enabled = rows.credentials.filter((credential) => credential.enabled)
  const credentialsOf = Map.groupBy(enabled, ({ providerId }) => providerId)
  const routesOf = Map.groupBy(rows.routes, ({ aliasId }) => aliasId)
  return {
    providers: rows.providers.map((row) => toProvider(row, credentialsOf.get(row.id) ?? [])),
    aliases: rows.aliases.map((row) => toAlias(row, routesOf.get(row.id) ?? [])),
  }
}

/** Without what was used. */
export function toProject({ id, name, active, limits, budget }: ProjectRow): SnapshotProject {
  return { id, name, active, limits: limitsOf(limits), budget, used: null }
}

/** Without what was used. */
export function toToken(row: TokenRow): SnapshotToken {
  const { id, name, projectId, prefix, digest, retired, revoked, expiresAt, maxRequests, budget } = row
  return {
    id,
    name,
    projectId,
    secrets: [{ prefix, digest, until: null }, ...retired],
    revoked,
    expiresAt,
    maxRequests,
    limits: limitsOf(row.limits),
    budget,
    used: null,
    access: accessOf(row.access),
  }
}

function limitsOf(set: Partial<Limits>): Limits | null {
  return Object.keys(set).length > 0 ? { ...NO_LIMITS, ...set } : null
}

function accessOf(set: Partial<Access>): Access | null {
  return Object.keys(set).length > 0 ? { ...DEFAULT_ACCESS, ...set } : null
}

function toProvider(row: ProviderRow, credentials: readonly CredentialRow[]): SnapshotProvider {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    baseUrl: row.baseUrl,
    enabled: row.enabled,
    timeouts: { ...DEFAULT_TIMEOUTS, ...row.timeouts },
    breaker: { ...DEFAULT_BREAKER, ...row.breaker },
    forcedBreaker: row.forcedBreaker,
    breakerSetAt: row.breakerSetAt,
    direct: row.direct,
    maxConcurrency: row.maxConcurrency,
    settings: row.settings,
    access: accessOf(row.access),
    credentials: credentials.map(toCredential),
  }
}

function toCredential({ id, projectId, fingerprint, sealed, env }: CredentialRow): SnapshotCredential {
  return { id, projectId, fingerprint, secret: sealed === null ? { env: env! } : { sealed } }
}

function toAlias(row: AliasRow, routes: readonly RouteRow[]): SnapshotAlias {
  return {
    id: row.id,
    name: row.name,
    projectId: row.projectId,
    enabled: row.enabled,
    strategy: row.strategy,
    sticky: { ...DEFAULT_STICKY, ...row.sticky },
    retry: { ...DEFAULT_RETRY, ...row.retry },
    hedge: row.hedge && { ...DEFAULT_HEDGE, ...row.hedge },
    cache: { ...DEFAULT_CACHE, ...row.cache },
    unknownParameters: row.unknownParameters,
    timeouts: Object.keys(row.timeouts).length > 0 ? row.timeouts : null,
    createdAt: row.createdAt,
    routes: routes.map(toRoute),
  }
}

function toRoute(row: RouteRow): SnapshotRoute {
  return {
    id: row.id,
    providerId: row.providerId,
    providerModel: row.providerModel,
    priority: row.priority,
    weight: row.weight,
    enabled: row.enabled,
    condition: row.condition,
    inputPrice: toNumber(row.inputPrice),
    outputPrice: toNumber(row.outputPrice),
    cachedInputPrice: toNumber(row.cachedInputPrice),
  }
}

function toNumber(decimal: string | null): number | null {
  return decimal === null ? null : Number(decimal)
}
