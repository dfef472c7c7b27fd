/** A PostgreSQL server, 15 or later, reached by URL. */
import { setTimeout as sleep } from 'node:timers/promises'

import { MikroORM, type PostgreSqlConnection } from '@mikro-orm/postgresql'
import { SettingsError } from '@millrace/shared'
import type { Logger } from 'pino'

import { OrmDatabase, type Database, type Unlisten } from './database.ts'
import { firstLine } from './failure.ts'
import { START_LOCK } from './locks.ts'
import { ormOptions } from './options.ts'

const OLDEST_VERSION = 15
const INSUFFICIENT_PRIVILEGE = '42501'
const CONNECT_TIMEOUT_MS = 3_000
/** A database that takes longer counts as one that does not answer. */
const QUERY_TIMEOUT_MS = 5_000
const LOCK_RETRY_MS = 100
const RELISTEN_MS = 1_000

/** As much of `pg` as is used here. */
interface PgClient {
  query<R>(sql: string, values?: readonly unknown[]): Promise<{ rows: R[] }>
  on(event: 'notification' | 'error' | 'end', listener: () => void): void
  release(destroy?: boolean): void
}
interface PgPool {
  connect(): Promise<PgClient>
}

/** @throws SettingsError if the server does not answer, refuses, or is too old */
export async function openServer(url: string, log: Logger): Promise<Database> {
  const orm = await MikroORM.init({
    ...ormOptions(log),
    clientUrl: url,
    driverOptions: {
      // The URL itself, for its parameters (sslmode and others), which the ORM's own reading of it drops.
      connectionString: url,
      application_name: 'millrace',
      max: 12,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      statement_timeout: QUERY_TIMEOUT_MS,
      idle_in_transaction_session_timeout: QUERY_TIMEOUT_MS,
    },
  })
  const database = new ServerDatabase(orm, log)
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

class ServerDatabase extends OrmDatabase {
  readonly #log: Logger

  constructor(orm: MikroORM, log: Logger) {
    super(orm)
    this.#log = log
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

  override async migrate(): Promise<void> {
    try {
      await super.migrate()
    } catch (error) {
      if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error
      throw new SettingsError('MILLRACE_DATABASE_URL', 'its user may not make tables in that database')
    }
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const client = await (await this.#pool()).connect()
    try {
      // Asked for again and again, since a statement that waits for it would run into the statement timeout.
      for (;;) {
        const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
          START_LOCK,
        ])
        if (rows[0]!.locked) break
        await sleep(LOCK_RETRY_MS)
      }
      return await work()
    } finally {
      // Destroyed, not returned: the lock goes with the session, also where the work has failed.
      client.release(true)
    }
  }

  async listen(channel: string, heard: () => void): Promise<Unlisten> {
    const stop = new AbortController()
    const listening = this.#keepListening(channel, heard, stop.signal)
    return async () => {
      stop.abort()
      await listening
    }
  }

  async #keepListening(channel: string, heard: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#listenUntilLost(channel, heard, signal)
      } catch (error) {
        this.#log.debug({ err: error }, 'cannot listen for notifications, polling goes on')
      }
      await sleep(RELISTEN_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #listenUntilLost(channel: string, heard: () => void, signal: AbortSignal): Promise<void> {
    const client = await (await this.#pool()).connect()
    const lost = new Promise<void>((resolve) => {
      client.on('error', resolve)
      client.on('end', resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    try {
      client.on('notification', heard)
      await client.query(`listen ${channel}`)
      heard()
      await lost
    } finally {
      client.release(true)
    }
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
