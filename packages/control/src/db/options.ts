/** What the ORM is told, whichever database it drives. */
import { Migrator } from '@mikro-orm/migrations'
import type { Logger } from 'pino'

import { entities } from './entities.ts'
import { NulCharacter } from './failure.ts'
import { migrations } from './migrations/index.ts'

/** The ORM's options beside the driver's own. Its messages go to the log at debug level: they may hold SQL. */
export function ormOptions(log: Logger) {
  return {
    entities: [...entities],
    extensions: [Migrator],
    migrations: { migrationsList: [...migrations], snapshot: false, silent: true },
    logger: (message: string) => log.debug({ orm: message }, 'orm'),
    colors: false,
    debug: false,
    onQuery: refuseNul,
    discovery: { warnWhenNoEntities: false },
  }
}

/** Hazard: the ORM writes values into the query's text, and PostgreSQL's protocol ends that text at the first NUL. */
function refuseNul(sql: string, params: readonly unknown[]): string {
  for (const param of params.flat()) if (typeof param === 'string' && param.includes('\0')) throw new NulCharacter()
  return sql
}
