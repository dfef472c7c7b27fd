/** The whole configuration as proxies are told it, read from one moment of the database. */
import { IsolationLevel } from '@mikro-orm/core'
import {
  DEFAULT_BREAKER,
  DEFAULT_HEDGE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  DEFAULT_TIMEOUTS,
  SNAPSHOT_FORMAT,
  type Snapshot,
  type SnapshotAlias,
  type SnapshotCredential,
  type SnapshotProvider,
  type SnapshotRoute,
} from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'
import {
  readRows,
  type AliasRow,
  type ConfigurationRows,
  type CredentialRow,
  type ProviderRow,
  type RouteRow,
} from './rows.ts'

export function buildSnapshot(database: Database): Promise<Snapshot> {
  return atOneMoment(database, async (em) => {
    const [newest] = await em.execute<{ revision: number }[]>(
      'select coalesce(max(number), 0) as revision from config_revision',
    )
    return toSnapshot(newest!.revision, await readRows(em))
  })
}

/** Reads what belongs together, whatever is written meanwhile. */
export function atOneMoment<T>(database: Database, read: (em: Em) => Promise<T>): Promise<T> {
  return database.em().transactional(read, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true })
}

export function toSnapshot(revision: number, rows: ConfigurationRows): Snapshot {
  const enabled = rows.credentials.filter((credential) => credential.enabled)
  const credentialsOf = Map.groupBy(enabled, ({ providerId }) => providerId)
  const routesOf = Map.groupBy(rows.routes, ({ aliasId }) => aliasId)
  return {
    format: SNAPSHOT_FORMAT,
    revision,
    providers: rows.providers.map((row) => toProvider(row, credentialsOf.get(row.id) ?? [])),
    aliases: rows.aliases.map((row) => toAlias(row, routesOf.get(row.id) ?? [])),
    projects: rows.projects.map(({ id, name, active }) => ({ id, name, active })),
    tokens: [...rows.tokens],
  }
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
