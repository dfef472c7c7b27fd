/** The control plane put together: started, and ended in the reverse order. */
import { resolve } from 'node:path'

import type { Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { Authenticator } from './access/authenticate.ts'
import { Door } from './access/door.ts'
import { ReaderDoor } from './access/reader.ts'
import { updateUrls } from './bootstrap/credentials-file.ts'
import { firstStart, type FirstStart } from './bootstrap/first-start.ts'
import { Chore } from './db/chore.ts'
import { makeDataFolder } from './db/data-folder.ts'
import { openDatabase } from './db/open.ts'
import { Exports } from './export/exports.ts'
import { requestFilterOf } from './export/query.ts'
import { sumOf } from './feed/counts.ts'
import { GraphqlOverHttp } from './graphql/http.ts'
import { ContextFactory } from './graphql/operation.ts'
import { createSchema } from './graphql/schema.ts'
import { Sessions } from './graphql/sessions.ts'
import { GraphqlOverSse } from './graphql/sse.ts'
import { GraphqlOverWebSocket } from './graphql/websocket.ts'
import { MetricsAccess } from './metrics/access.ts'
import { Backlog } from './metrics/backlog.ts'
import { ControlMetrics } from './metrics/metrics.ts'
import { Readiness } from './readiness.ts'
import { claimMasterKey } from './secrets/claim.ts'
import { masterKeysOf } from './secrets/master-key.ts'
import { closeServer, connectionsOf, createHttpServer, GRAPHQL_PATH, listen } from './server.ts'
import { createServices } from './services.ts'

const TIDY_MS = 10_000

export interface Control {
  /** Where it is reached from this machine. */
  readonly url: string
  /** The secrets, if the database was empty. */
  readonly firstStart: FirstStart | null
  /** Finishes what runs. */
  close(): Promise<void>
}

export interface ControlOptions {
  readonly settings: Settings
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  /** Ends the start: what was started until then is closed. */
  readonly signal: AbortSignal
  /** Whether a launcher looks after the addresses in credentials.json: it knows where the proxy is, too. */
  readonly launched: boolean
}

/**
 * @throws SettingsError if a setting can't be used
 * @throws the signal's reason once it is aborted
 */
export async function startControl({ settings, env, log, signal, launched }: ControlOptions): Promise<Control> {
  // What was started is ended in the reverse order: at the close, or here if the rest fails.
  await using started = new AsyncDisposableStack()
  const dataDir = resolve(settings.MILLRACE_DATA_DIR)
  makeDataFolder(dataDir)
  const masterKeys = masterKeysOf(settings, dataDir)
  const database = await openDatabase(settings.MILLRACE_DATABASE_URL, dataDir, log)
  started.defer(() => database.close())
  signal.throwIfAborted()

  const services = createServices(database, masterKeys.current, settings, log)
  started.defer(() => services.refusals.close())
  const host = reachable(settings.MILLRACE_HOST)
  const proxyUrl = `http://${host}:${settings.MILLRACE_PROXY_PORT}`
  const graphqlUrl = (port: number): string => `http://${host}:${port}/graphql`
  const first = await database.exclusively(async () => {
    await database.migrate()
    await claimMasterKey(database, masterKeys)
    const urls = { graphqlUrl: graphqlUrl(settings.MILLRACE_CONTROL_PORT), proxyUrl }
    signal.throwIfAborted()
    return firstStart(database, services, { settings, env, dataDir, urls, log })
  }, signal)
  await services.retention
    .keepUp(signal)
    .catch(({ message }: Error) => log.warn({ reason: message }, 'cannot make partitions yet'))
  await services.snapshots.start()
  started.defer(() => services.snapshots.close())
  await services.healthChanges.start()
  started.defer(() => services.healthChanges.close())
  await services.instructions.start()
  started.defer(() => services.instructions.close())
  await services.purgeWaiting.start()
  started.defer(() => services.purgeWaiting.close())
  await services.questions.start()
  started.defer(() => services.questions.close())
  await services.debugCapture.start()
  started.defer(() => services.debugCapture.close())
  await services.feed.start()
  started.defer(() => services.feed.close())
  await services.auditFeed.start()
  started.defer(() => services.auditFeed.close())
  await services.revisionFeed.start()
  started.defer(() => services.revisionFeed.close())
  for (const [what, work] of [
    ['keep the partitions of records', (ending: AbortSignal) => services.retention.keepUp(ending)],
    ['delete old sticky bindings', (ending: AbortSignal) => services.sticky.tidy(ending)],
    ['delete old purges', () => services.purges.tidy()],
    ['delete what control processes have told each other', () => services.feed.tidy()],
    ['sum up usage', (ending: AbortSignal) => services.usageCompaction.run(ending)],
    ['delete old questions to proxies', () => services.questions.tidy()],
    ['delete old debug exchanges', (ending: AbortSignal) => services.debugExchanges.tidy(ending)],
  ] as const) {
    const chore = new Chore(work, { what, everyMs: TIDY_MS }, log)
    started.defer(() => chore.close())
  }

  const schema = createSchema()
  const authenticator = new Authenticator(database, log)
  const door = new Door(authenticator, services.refusals, settings.MILLRACE_TRUSTED_PROXIES)
  const contexts = new ContextFactory(database, services, log)
  const readiness = new Readiness(database, services.snapshots, {
    databaseKind: settings.MILLRACE_DATABASE_URL === undefined ? 'embedded' : 'server',
    hasRedis: settings.MILLRACE_REDIS_URL !== undefined,
  })
  const feedCounts = () => sumOf([services.feed, services.auditFeed, services.revisionFeed, services.healthChanges])
  const backlog = new Backlog(database)
  const metrics = new ControlMetrics({
    feedSubscribers: () => feedCounts().subscribers,
    feedDropped: () => feedCounts().dropped,
    configRevision: () => services.snapshots.revision,
    exportsRunning: () => exports.running,
    sockets: () => connectionsOf(server),
    webSockets: () => webSocket.size,
    usageBacklog: () => backlog.usageRows(),
    connections: () => database.connections(),
    readiness: () => readiness.state(),
  })
  services.ingest.onIngested((result, ms) => metrics.ingested(result, ms))
  const graphql = new GraphqlOverHttp(schema, door, contexts, log, (operation) => metrics.operation(operation))
  await graphql.start()
  started.defer(() => graphql.stop())
  const reader = new ReaderDoor(door, services.refusals, log)
  const exports = new Exports(reader, { database, authenticator, log }, requestFilterOf(schema))
  const access = new MetricsAccess(reader)
  const sessions = new Sessions(authenticator, log)
  started.defer(() => sessions.close())
  const streams = new GraphqlOverSse(schema, door, contexts, sessions, log)
  const server = createHttpServer({ graphql, exports, streams, readiness, metrics: metrics.registry, access })
  const port = await listen(server, settings.MILLRACE_HOST, settings.MILLRACE_CONTROL_PORT)
  started.defer(() => closeServer(server))
  started.defer(() => exports.close())
  const webSocket = new GraphqlOverWebSocket(server, GRAPHQL_PATH, schema, door, contexts, sessions, log)
  started.defer(() => webSocket.close())
  started.defer(() => streams.close())
  if (!launched) writeAddresses(dataDir, { graphqlUrl: graphqlUrl(port), proxyUrl }, log)
  signal.throwIfAborted()

  const running = started.move()
  return { url: `http://${host}:${port}`, firstStart: first, close: () => running.disposeAsync() }
}

/** The file is for people to read: no reason not to serve. */
function writeAddresses(dataDir: string, urls: Parameters<typeof updateUrls>[1], log: Logger): void {
  try {
    updateUrls(dataDir, urls)
  } catch (error) {
    log.warn({ reason: (error as Error).message }, 'cannot bring credentials.json up to date')
  }
}

/** An address to reach oneself at, where one listens on all. IPv6 in brackets. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
