/** A database of each kind with nobody on it, for what is asked of usage in this process. */
import { after, before, describe } from 'node:test'

import type { RequestRecord } from '@millrace/shared'
import { pino } from 'pino'
// First: classes with decorators need it.
import 'reflect-metadata'

import type { Database } from '../../packages/control/dist/db/database.js'
import { openDatabase } from '../../packages/control/dist/db/open.js'
import { insertRecords } from '../../packages/control/dist/requests/request.store.js'
import { Compaction } from '../../packages/control/dist/usage/compaction.js'
import { UsageService, type UsageLimits } from '../../packages/control/dist/usage/usage.service.js'
import { layOutDatabase } from '../helpers/embedded-database.ts'
import { databases, type DatabaseKind } from '../helpers/postgres.ts'
import { temporaryFolder } from '../helpers/temporary.ts'

export const RECORD_DAYS = 90

export interface UsageStage {
  database: Database
  /** Undefined: PGlite. */
  databaseUrl: string | undefined
  usage: UsageService
  compaction: Compaction
}

/** Those that are not there yet. */
export async function store({ database }: UsageStage, records: readonly RequestRecord[]): Promise<void> {
  await insertRecords(database.em(), JSON.stringify(records))
}

/** One with limits of its own. */
export function usageReading({ database }: UsageStage, limits: Partial<UsageLimits>): UsageService {
  return new UsageService(database, RECORD_DAYS, limits)
}

export async function onBareDatabases(declare: (stage: UsageStage, kind: DatabaseKind['name']) => void): Promise<void> {
  const found = await databases()
  for (const kind of found.kinds) {
    describe(`on ${kind.name}`, { skip: kind.skip }, () => {
      const stack = new AsyncDisposableStack()
      const stage = {} as UsageStage
      before(async () => {
        const folder = stack.use(await temporaryFolder())
        const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
        stack.defer(drop)
        if (databaseUrl === undefined) await layOutDatabase(folder.path)
        const database = await openDatabase(databaseUrl, folder.path, pino({ level: 'silent' }))
        stack.defer(() => database.close())
        await database.migrate()
        Object.assign(stage, {
          database,
          databaseUrl,
          usage: new UsageService(database, RECORD_DAYS),
          compaction: new Compaction(database, RECORD_DAYS),
        })
      })
      after(() => stack.disposeAsync())
      declare(stage, kind.name)
    })
  }
  after(() => found.close())
}
