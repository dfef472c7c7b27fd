/** The control plane put together: started, and ended in the reverse order. */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { Authenticator } from './access/authenticate.ts'
import { Door } from './access/door.ts'
import { updateUrls } from './bootstrap/credentials-file.ts'
import { firstStart, type FirstStart } from './bootstrap/first-start.ts'
import { Chore } from './db/chore.ts'
import { makeDataFolder } from './db/data-folder.ts'
import type { Database } from './db/database.ts'
import { openDatabase } from './db/open.ts'
import { GraphqlOverHttp } from './graphql/http.ts'
import { ContextFactory } from './graphql/operation.ts'
import { createSchema } from './graphql/schema.ts'
import { GraphqlOverWebSocket } from './graphql/websocket.ts'
import { claimMasterKey } from './secrets/claim.ts'
import { masterKeysOf } from './secrets/master-key.ts'
import { closeServer, createHttpServer, GRAPHQL_PATH, listen } from './server.ts'
import { createServices } from './services.ts'

/** How long a database may take to say that it is there. */
const READINESS_TIMEOUT_MS = 2_000
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
  await services.snapshots.start()
  started.defer(() => services.snapshots.close())
  await services.healthChanges.start()
  started.defer(() => services.healthChanges.close())
  await services.instructions.start()
  started.defer(() => services.instructions.close())
  await services.purgeWaiting.start()
  started.defer(() => services.purgeWaiting.close())
  await services.auditFeed.start()
  started.defer(() => services.auditFeed.close())
  await services.revisionFeed.start()
  started.defer(() => services.revisionFeed.close())
  for (const [what, work] of [
    ['delete old sticky bindings', (ending: AbortSignal) => services.sticky.tidy(ending)],
    ['delete old purges', () => services.purges.tidy()],
  ] as const) {
    const chore = new Chore(work, { what, everyMs: TIDY_MS }, log)
    started.defer(() => chore.close())
  }

  const schema = createSchema()
  const authenticator = new Authenticator(database, log)
  const door = new Door(authenticator, services.refusals, settings.MILLRACE_TRUSTED_PROXIES)
  const contexts = new ContextFactory(database, services, log)
  const graphql = new GraphqlOverHttp(schema, door, contexts, log)
  await graphql.start()
  started.defer(() => graphql.stop())
  const server = createHttpServer(graphql, () => readiness(database))
  const port = await listen(server, settings.MILLRACE_HOST, settings.MILLRACE_CONTROL_PORT)
  started.defer(() => closeServer(server))
  const webSocket = new GraphqlOverWebSocket(server, GRAPHQL_PATH, schema, authenticator, door, contexts, log)
  started.defer(() => webSocket.close())
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

async function readiness(database: Database): Promise<string | null> {
  const timeout = sleep(READINESS_TIMEOUT_MS, 'the database does not answer', { ref: false })
  const answer = database
    .em()
    .execute('select 1')
    .then(
      () => null,
      () => 'the database does not answer',
    )
  return Promise.race([answer, timeout])
}

/** An address to reach oneself at, where one listens on all. IPv6 in brackets. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
