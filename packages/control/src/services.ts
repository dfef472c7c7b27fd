/** Everything that resolvers act through, made once. */
import type { MasterKey, Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { AdminKeyService } from './access/admin-key.service.ts'
import { AliasService } from './aliases/alias.service.ts'
import { RouteService } from './aliases/route.service.ts'
import { AuditService } from './audit/audit.service.ts'
import type { Database } from './db/database.ts'
import { Bus } from './feed/bus.ts'
import { ProjectService } from './projects/project.service.ts'
import { CredentialService } from './providers/credential.service.ts'
import { ProviderService } from './providers/provider.service.ts'
import { ProxyService } from './proxies/proxy.service.ts'
import { IngestService, type StoredRecord } from './requests/ingest.service.ts'
import { RequestService } from './requests/request.service.ts'
import { RevisionService } from './revisions/revision.service.ts'
import { Vault } from './secrets/vault.ts'
import { SnapshotPublisher } from './snapshot/publisher.ts'
import { TokenService } from './tokens/token.service.ts'

export interface Services {
  readonly adminKeys: AdminKeyService
  readonly aliases: AliasService
  readonly audit: AuditService
  readonly credentials: CredentialService
  readonly feed: Bus<StoredRecord>
  readonly ingest: IngestService
  readonly projects: ProjectService
  readonly providers: ProviderService
  readonly proxies: ProxyService
  readonly requests: RequestService
  readonly revisions: RevisionService
  readonly routes: RouteService
  readonly snapshots: SnapshotPublisher
  readonly tokens: TokenService
}

export function createServices(database: Database, masterKey: MasterKey, settings: Settings, log: Logger): Services {
  const credentials = new CredentialService(database, new Vault(masterKey, settings.MILLRACE_ENV_ALLOW))
  const routes = new RouteService(database)
  const feed = new Bus<StoredRecord>()
  return {
    adminKeys: new AdminKeyService(database),
    aliases: new AliasService(database, routes),
    audit: new AuditService(database),
    credentials,
    feed,
    ingest: new IngestService(database, feed, log),
    projects: new ProjectService(database),
    providers: new ProviderService(database, credentials, settings.MILLRACE_PRIVATE_UPSTREAMS),
    proxies: new ProxyService(database),
    requests: new RequestService(database),
    revisions: new RevisionService(database),
    routes,
    snapshots: new SnapshotPublisher(database, log),
    tokens: new TokenService(database),
  }
}
