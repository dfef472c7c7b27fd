/** The whole configuration as proxies are told it, read from one moment of the database. */
import { IsolationLevel } from '@mikro-orm/core'
import {
  DEFAULT_TIMEOUTS,
  SNAPSHOT_FORMAT,
  type Snapshot,
  type SnapshotAlias,
  type SnapshotCredential,
  type SnapshotProject,
  type SnapshotProvider,
  type SnapshotRoute,
  type SnapshotToken,
  type Timeouts,
} from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'

type CredentialRow = Omit<SnapshotCredential, 'secret'> & {
  providerId: string
  sealed: string | null
  env: string | null
}
type ProviderRow = Omit<SnapshotProvider, 'credentials' | 'timeouts'> & { timeouts: Partial<Timeouts> }
type AliasRow = Omit<SnapshotAlias, 'routes'>
type RouteRow = SnapshotRoute & { aliasId: string }

/** ISO 8601, which the driver's own rendering of a timestamp is not. */
const instant = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Raw SQL, since entities of ten thousand tokens would cost ten times as much. */
export function buildSnapshot(database: Database): Promise<Snapshot> {
  return database.em().transactional(readSnapshot, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true })
}

async function readSnapshot(em: Em): Promise<Snapshot> {
  const [newest] = await em.execute<{ revision: number }[]>(
    'select coalesce(max(number), 0) as revision from config_revision',
  )
  const credentials = await em.execute<CredentialRow[]>(
    `select id, provider_id as "providerId", project_id as "projectId", fingerprint, sealed, env
     from provider_credential where enabled order by created_at, id`,
  )
  const providers = await em.execute<ProviderRow[]>(
    'select id, name, kind, base_url as "baseUrl", enabled, timeouts, settings from provider order by name',
  )
  const routes = await em.execute<RouteRow[]>(
    `select id, alias_id as "aliasId", provider_id as "providerId", provider_model as "providerModel", priority, weight, enabled
     from route order by alias_id, priority, position`,
  )
  const aliases = await em.execute<AliasRow[]>(
    `select id, name, project_id as "projectId", enabled, strategy, ${instant('created_at')} as "createdAt" from alias order by name, id`,
  )
  const projects = await em.execute<SnapshotProject[]>('select id, name, active from project order by name')
  const tokens = await em.execute<SnapshotToken[]>(
    `select id, project_id as "projectId", digest, revoked_at is not null as revoked, ${instant('expires_at')} as "expiresAt"
     from token order by id`,
  )

  const credentialsOf = Map.groupBy(credentials, ({ providerId }) => providerId)
  const routesOf = Map.groupBy(routes, ({ aliasId }) => aliasId)
  return {
    format: SNAPSHOT_FORMAT,
    revision: newest!.revision,
    providers: providers.map((provider) => ({
      ...provider,
      timeouts: { ...DEFAULT_TIMEOUTS, ...provider.timeouts },
      credentials: (credentialsOf.get(provider.id) ?? []).map(toCredential),
    })),
    aliases: aliases.map((alias) => ({ ...alias, routes: (routesOf.get(alias.id) ?? []).map(toRoute) })),
    projects,
    tokens,
  }
}

function toCredential({ id, projectId, fingerprint, sealed, env }: CredentialRow): SnapshotCredential {
  return { id, projectId, fingerprint, secret: sealed === null ? { env: env! } : { sealed } }
}

function toRoute({ aliasId: _, ...route }: RouteRow): SnapshotRoute {
  return route
}
