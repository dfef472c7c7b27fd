/** A PostgreSQL server, 15 or later, reached by URL. */
import { setTimeout as sleep } from 'node:timers/promises'

import { MikroORM, type PostgreSqlConnection } from '@mikro-orm/postgresql'
import { SettingsError } from '@millrace/shared'
import type { Logger } from 'pino'

import { OrmDatabase, type Connections, type Database, type Unlisten } from './database.ts'
import { firstLine } from './failure.ts'
import { Listener } from './listener.ts'
import { START_LOCK } from './locks.ts'
import { ormOptions } from './options.ts'
import { dropLostConnections, type PgClient, type PgPool } from './pool.ts'

const OLDEST_VERSION = 15
const INSUFFICIENT_PRIVILEGE = '42501'
const CONNECT_TIMEOUT_MS = 3_000
const LOCK_RETRY_MS = 100
const KEEP_ALIVE_DELAY_MS = 10_000

/** A database that takes longer counts as one that does not answer. */
const STATEMENT_TIMEOUT_MS = 5_000
const TIMEOUTS = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
  // Before the statement's, so that it is known what was waited for.
  lock_timeout: STATEMENT_TIMEOUT_MS - 1_000,
  // After it: a connection on which not even that comes back is lost.
  query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
}

/**
 * @param patient whether a statement may take as long as it takes
 * @throws SettingsError if the server does not answer, refuses, or is too old
 */
export async function openServer(url: string, log: Logger, patient = false): Promise<Database> {
  const orm = await connect(url, log, patient ? { max: 2 } : { max: 12, ...TIMEOUTS })
  const database = new ServerDatabase(orm, url, log)
  try {
    await database.check()
    return database
  } catch (error) {
    await orm.close(true)
    throw error instanceof SettingsError
      ? error
      : new SettingsError('MILLRACE_DATABASE_URL', refusal(error, new URL(url)))
  }
}

function connect(url: string, log: Logger, options: Readonly<Record<string, number>>): Promise<MikroORM> {
  return MikroORM.init({
    ...ormOptions(log),
    clientUrl: url,
    driverOptions: {
      // The URL itself, for its parameters (sslmode and others), which the ORM's own reading of it drops.
      connectionString: url,
      application_name: 'millrace',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      onPoolCreated: dropLostConnections,
      ...options,
    },
  })
}

class ServerDatabase extends OrmDatabase {
  readonly holdsProcess = false
  readonly #url: string
  readonly #log: Logger
  readonly #listener: Listener

  constructor(orm: MikroORM, url: string, log: Logger) {
    super(orm)
    this.#url = url
    this.#log = log
    this.#listener = new Listener(() => this.#connect(), log)
  }

  /** @throws SettingsError if the server is too old; whatever the driver throws if it does not answer */
  async check(): Promise<void> {
    const [row] = await this.em().execute<{ version: number }[]>(
      "select current_setting('server_version_num')::int / 10000 as version",
    )
    if (row!.version >= OLDEST_VERSION) return
    throw new SettingsError(
      'MILLRACE_DATABASE_URL',
      `the server is PostgreSQL ${row!.version}; ${OLDEST_VERSION} or later is needed`,
    )
  }

  /** On a connection without timeouts: to change a large table takes as long as it takes. */
  override async migrate(): Promise<void> {
    const orm = await connect(this.#url, this.#log, { max: 1 })
    try {
      await orm.em.execute('set statement_timeout = 0')
      await orm.migrator.up()
    } catch (error) {
      if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error
      throw new SettingsError('MILLRACE_DATABASE_URL', 'its user may not make tables in that database')
    } finally {
      await orm.close(true)
    }
  }

  async exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const client = await this.#connect()
    try {
      // Asked for again and again, since a statement that waits for it would run into the statement timeout.
      for (;;) {
        signal.throwIfAborted()
        const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
          START_LOCK,
        ])
        if (rows[0]!.locked) break
        await sleep(LOCK_RETRY_MS, undefined, { signal })
      }
      return await work()
    } finally {
      // Destroyed, not returned: the lock goes with the session, also where the work has failed.
      client.release(true)
    }
  }

  async listen(channel: string, heard: () => void): Promise<Unlisten> {
    return this.#listener.listen(channel, heard)
  }

  async connections(): Promise<Connections> {
    const { totalCount, idleCount, waitingCount } = await this.#pool()
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount }
  }

  async #connect(): Promise<PgClient> {
    return (await this.#pool()).connect()
  }

  async #pool(): Promise<PgPool> {
    const connection = this.orm.em.getConnection() as unknown as PostgreSqlConnection
    return (await connection.getNativeClient()) as PgPool
  }
}

/** Why the server could not be used, without the URL's password. */
function refusal(error: unknown, url: URL): string {
  const { code, message } = error as { code?: string; message: string }
  const where = `${url.hostname}:${url.port || 5432}`
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing answers at ${where}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `there is no host ${url.hostname}`
    case '28P01':
    case '28000':
      return `the server at ${where} refuses the user or the password`
    case '3D000':
      return `the server at ${where} has no database ${decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username)}`
    default:
      return `the database at ${where} does not answer: ${firstLine(message)}`
  }
}
