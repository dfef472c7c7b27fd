import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Follower } from '../feed/follower.ts'
import { AuditEvent } from './audit.entity.ts'
import { AUDIT_CHANNEL } from './write.ts'

/** Audit events as they are written. */
export function auditFeed(database: Database, log: Logger): Follower<AuditEvent> {
  return new Follower<AuditEvent>(
    {
      channel: AUDIT_CHANNEL,
      what: 'audit events',
      database,
      newest: async () => {
        const [row] = await database
          .em()
          .execute<{ newest: string }[]>('select coalesce(max(number), 0)::text as newest from audit_event')
        return Number(row!.newest)
      },
      after: (number, most) =>
        database.em().find(AuditEvent, { number: { $gt: number } }, { orderBy: { number: 'asc' }, limit: most }),
      numberOf: ({ number }) => number,
    },
    log,
  )
}
