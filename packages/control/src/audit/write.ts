import { newId } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import type { Actor } from '../revisions/change.ts'

/** What was done. */
export interface AuditedAction {
  /** The mutation. */
  readonly action: string
  /** What it was done to: `provider openai`. */
  readonly subject: string
  readonly projectId: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** Writes an audit event, in the transaction of what it tells of. */
export async function writeAuditEvent(
  em: Em,
  actor: Actor,
  { action, subject, projectId, details }: AuditedAction,
): Promise<void> {
  await em.execute(
    `insert into audit_event (id, at, actor, action, subject, project_id, result, request_id, client_ip, details)
     values (?, clock_timestamp(), ?, ?, ?, ?, 'SUCCESS', ?, ?, ?::jsonb)`,
    [
      newId(),
      actor.name,
      action,
      subject,
      projectId,
      actor.requestId,
      actor.clientIp,
      JSON.stringify({ adminKey: actor.keyId, ...details }),
    ],
  )
}
