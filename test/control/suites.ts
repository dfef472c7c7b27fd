/** Suites that hold on each database that control can stand on. */
import { after, before, describe } from 'node:test'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { databases, type DatabaseKind } from '../helpers/postgres.ts'

export interface Stage {
  /** Set from the first test on. */
  control: ControlProcess
  readonly kind: DatabaseKind['name']
}

/** Declares the same tests for PGlite and for a server, each with a control plane of its own. */
export async function onEachDatabase(
  declare: (stage: Stage) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const found = await databases()
  for (const kind of found.kinds) {
    describe(`on ${kind.name}`, { skip: kind.skip }, () => {
      const stack = new AsyncDisposableStack()
      const stage = { kind: kind.name } as Stage
      before(async () => {
        const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
        stack.defer(drop)
        stage.control = stack.use(await startControl({ ...(databaseUrl === undefined ? {} : { databaseUrl }), env }))
      })
      after(() => stack.disposeAsync())
      declare(stage)
    })
  }
  after(() => found.close())
}
