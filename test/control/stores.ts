/** Databases that stand by themselves, without a control plane on them: one of each kind. */
import { after, before, describe } from 'node:test'

import { pino } from 'pino'

import type { Database } from '../../packages/control/dist/db/database.js'
import { openDatabase } from '../../packages/control/dist/db/open.js'
import { databases, type DatabaseKind } from '../helpers/postgres.ts'
import { temporaryFolder } from '../helpers/temporary.ts'

export const LOG = pino({ level: 'silent' })

export interface Store {
  readonly kind: DatabaseKind['name']
  /** Set from the first test on. */
  database: Database
  /** Null: PGlite. */
  url: string | null
}

/** Declares the same tests for PGlite and for a server. @param options migrate: whether it has its tables */
export async function onEachStore(declare: (store: Store) => void, { migrate = true } = {}): Promise<void> {
  const found = await databases()
  for (const kind of found.kinds) {
    describe(`on ${kind.name}`, { skip: kind.skip }, () => {
      const stack = new AsyncDisposableStack()
      const store = { kind: kind.name } as Store
      before(async () => {
        const folder = stack.use(await temporaryFolder())
        const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
        stack.defer(drop)
        store.url = databaseUrl ?? null
        store.database = await openDatabase(databaseUrl, folder.path, LOG)
        stack.defer(() => store.database.close())
        if (migrate) await store.database.migrate()
      })
      after(() => stack.disposeAsync())
      declare(store)
    })
  }
  after(() => found.close())
}
