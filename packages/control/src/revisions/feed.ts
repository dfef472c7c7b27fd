import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Follower } from '../feed/follower.ts'
import { CONFIG_CHANNEL } from './change.ts'
import { ConfigRevision } from './revision.entity.ts'

/** Revisions as they are made. */
export function revisionFeed(database: Database, log: Logger): Follower<ConfigRevision> {
  return new Follower<ConfigRevision>(
    {
      channel: CONFIG_CHANNEL,
      what: 'revisions',
      database,
      newest: async () => {
        const [row] = await database
          .em()
          .execute<{ newest: number }[]>('select coalesce(max(number), 0) as newest from config_revision')
        return row!.newest
      },
      after: (number, most) =>
        database.em().find(ConfigRevision, { number: { $gt: number } }, { orderBy: { number: 'asc' }, limit: most }),
      numberOf: ({ number }) => number,
    },
    log,
  )
}
