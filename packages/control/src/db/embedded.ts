/** PGlite: PostgreSQL in this process, its files in the data folder. One connection, one process. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'

import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { MikroORM, type PgliteConnection } from '@mikro-orm/pglite'
import { SettingsError } from '@millrace/shared'
import type { Logger } from 'pino'

import { Chore } from './chore.ts'
import { OrmDatabase, type Database, type Unlisten } from './database.ts'
import { firstLine } from './failure.ts'
import { ormOptions } from './options.ts'
import { keepUp } from './upkeep.ts'

const SETTINGS = {
  // PostgreSQL's own default of 128 MB would be touched whole at the start.
  shared_buffers: '16MB',
  // Of the log's files so many are kept to be written again.
  min_wal_size: '32MB',
  max_wal_size: '64MB',
}
const UPKEEP_MS = 180_000

/**
 * @param folder absolute; locked by the caller, since two processes on it would lose each other's writes without a word
 * @throws SettingsError if it can't be opened
 */
export async function openEmbedded(folder: string, log: Logger): Promise<Database> {
  const unfinished = `${folder}.unfinished`
  // Killed while the first start laid out its files: there is nothing in them yet, and they would never open.
  if (existsSync(unfinished)) rmSync(folder, { recursive: true, force: true })
  else if (!existsSync(folder)) writeFileSync(unfinished, '')
  const orm = await MikroORM.init({
    ...ormOptions(log),
    dbName: folder,
    driverOptions: {
      extensions: { pg_trgm },
      startParams: [
        ...PGlite.defaultStartParams,
        ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
    },
  })
  try {
    await orm.em.execute('select 1')
    rmSync(unfinished, { force: true })
  } catch (error) {
    throw new SettingsError(
      'MILLRACE_DATA_DIR',
      `the embedded database in ${folder} cannot be opened: ${firstLine((error as Error).message)}`,
    )
  }
  return new EmbeddedDatabase(orm, log)
}

class EmbeddedDatabase extends OrmDatabase {
  readonly holdsProcess = true
  readonly #upkeep: Chore

  constructor(orm: MikroORM, log: Logger) {
    super(orm)
    this.#upkeep = new Chore(() => keepUp(() => this.em()), { what: 'keep up the database', everyMs: UPKEEP_MS }, log)
  }

  /** The lock on the data folder has seen to it. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return work()
  }

  async listen(channel: string, heard: () => void): Promise<Unlisten> {
    const connection = this.orm.em.getConnection() as unknown as PgliteConnection
    const client = await connection.getNativeClient()
    return await client.listen(channel, heard)
  }

  async connections(): Promise<null> {
    return null
  }

  override async close(): Promise<void> {
    await this.#upkeep.close()
    await super.close()
  }
}
