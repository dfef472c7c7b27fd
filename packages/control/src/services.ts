/** Everything that resolvers act through, made once. */
import type { MasterKey, Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { AdminKeyService } from './access/admin-key.service.ts'
import { AliasService } from './aliases/alias.service.ts'
import { RouteService } from './aliases/route.service.ts'
import type { AuditEvent } from './audit/audit.entity.ts'
import { AuditService } from './audit/audit.service.ts'
import { auditFeed } from './audit/feed.ts'
import { Refusals } from './audit/refusals.ts'
import { PurgeWaiting } from './cache/purge-waiting.ts'
import { PurgeService } from './cache/purge.service.ts'
import type { Database } from './db/database.ts'
import { DebugCaptureService } from './debug/capture.service.ts'
import { DebugExchangeService } from './debug/exchange.service.ts'
import { Configurations } from './decisions/configurations.ts'
import { DecisionService } from './decisions/decision.service.ts'
import { ExplainService } from './decisions/explain.service.ts'
import type { Follower } from './feed/follower.ts'
import { Fleet } from './health/fleet.ts'
import { HealthWatcher } from './health/watcher.ts'
import { InFlightService } from './inflight/in-flight.service.ts'
import { Questions } from './inflight/questions.ts'
import { Instructions } from './instructions/instructions.ts'
import { ProjectService } from './projects/project.service.ts'
import { CredentialService } from './providers/credential.service.ts'
import { ProviderService } from './providers/provider.service.ts'
import { ProviderTester } from './providers/tester.ts'
import { ProxyService } from './proxies/proxy.service.ts'
import { RequestFeed } from './requests/feed.service.ts'
import { IngestService } from './requests/ingest.service.ts'
import { RequestService } from './requests/request.service.ts'
import { Retention } from './requests/retention.ts'
import { revisionFeed } from './revisions/feed.ts'
import type { ConfigRevision } from './revisions/revision.entity.ts'
import { RevisionService } from './revisions/revision.service.ts'
import { Vault } from './secrets/vault.ts'
import { SnapshotPublisher } from './snapshot/publisher.ts'
import { SpendingService } from './spending/spending.service.ts'
import { BindingStore } from './sticky/binding.store.ts'
import { StickyService } from './sticky/sticky.service.ts'
import { TokenService } from './tokens/token.service.ts'
import { Compaction } from './usage/compaction.ts'
import { UsageService } from './usage/usage.service.ts'

export interface Services {
  readonly adminKeys: AdminKeyService
  readonly aliases: AliasService
  readonly audit: AuditService
  readonly auditFeed: Follower<AuditEvent>
  readonly credentials: CredentialService
  readonly debugCapture: DebugCaptureService
  readonly debugExchanges: DebugExchangeService
  readonly decisions: DecisionService
  readonly explanations: ExplainService
  readonly feed: RequestFeed
  readonly fleet: Fleet
  readonly healthChanges: HealthWatcher
  readonly inFlight: InFlightService
  readonly ingest: IngestService
  readonly instructions: Instructions
  readonly projects: ProjectService
  readonly providers: ProviderService
  readonly providerTester: ProviderTester
  readonly proxies: ProxyService
  readonly purges: PurgeService
  readonly purgeWaiting: PurgeWaiting
  readonly questions: Questions
  readonly refusals: Refusals
  readonly requests: RequestService
  readonly retention: Retention
  readonly revisionFeed: Follower<ConfigRevision>
  readonly revisions: RevisionService
  readonly routes: RouteService
  readonly snapshots: SnapshotPublisher
  readonly spending: SpendingService
  readonly sticky: StickyService
  readonly tokens: TokenService
  readonly usage: UsageService
  readonly usageCompaction: Compaction
}

export function createServices(database: Database, masterKey: MasterKey, settings: Settings, log: Logger): Services {
  const credentials = new CredentialService(database, new Vault(masterKey, settings.MILLRACE_ENV_ALLOW))
  const routes = new RouteService(database)
  const feed = new RequestFeed(database, log)
  const bindings = new BindingStore(database, log)
  const fleet = new Fleet(database)
  const revisions = new RevisionService(database)
  const spending = new SpendingService(database)
  const snapshots = new SnapshotPublisher(database, spending, log)
  const purgeWaiting = new PurgeWaiting(database, log)
  const questions = new Questions(database, log)
  return {
    adminKeys: new AdminKeyService(database),
    aliases: new AliasService(database, routes),
    audit: new AuditService(database),
    auditFeed: auditFeed(database, log),
    credentials,
    debugCapture: new DebugCaptureService(database, settings.MILLRACE_DEBUG_DAYS, log),
    debugExchanges: new DebugExchangeService(database, settings.MILLRACE_DEBUG_DAYS, log),
    decisions: new DecisionService(database, feed),
    explanations: new ExplainService(
      new Configurations(snapshots, revisions),
      fleet,
      bindings,
      settings.MILLRACE_REDIS_URL === undefined ? 'memory' : 'redis',
    ),
    feed,
    fleet,
    healthChanges: new HealthWatcher(database, fleet, snapshots, log),
    inFlight: new InFlightService(database, questions),
    ingest: new IngestService(database, feed, bindings, log),
    instructions: new Instructions(database, log),
    projects: new ProjectService(database),
    providers: new ProviderService(database, credentials, settings.MILLRACE_PRIVATE_UPSTREAMS),
    providerTester: new ProviderTester(database, questions),
    proxies: new ProxyService(database),
    purges: new PurgeService(database, purgeWaiting),
    purgeWaiting,
    questions,
    refusals: new Refusals(database, log),
    requests: new RequestService(database),
    retention: new Retention(database, settings),
    revisionFeed: revisionFeed(database, log),
    revisions,
    routes,
    snapshots,
    spending,
    sticky: new StickyService(database, bindings),
    tokens: new TokenService(database),
    usage: new UsageService(database, settings.MILLRACE_RECORD_DAYS),
    usageCompaction: new Compaction(database, settings.MILLRACE_RECORD_DAYS),
  }
}
