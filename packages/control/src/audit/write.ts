import { newId } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import { AUDIT_LOCK } from '../db/locks.ts'
import type { Actor } from '../revisions/change.ts'

/** The channel on which it is announced that there is an audit event. */
export const AUDIT_CHANNEL = 'millrace_audit'

/** What was done, or was refused. */
export interface AuditedAction {
  /** The mutation. */
  readonly action: string
  /** What it was done to: `provider openai`; of what was refused, where it was asked for: `Mutation.createProvider`. */
  readonly subject: string
  readonly projectId: string | null
  /** SUCCESS unless given; else the code with which it was refused. */
  readonly result?: string
  /** Holds no secret. */
  readonly details: Readonly<Record<string, unknown>>
}

type By = Pick<Actor, 'name' | 'keyId' | 'requestId' | 'clientIp'>

const INSERT = `
  with turn as materialized (select pg_advisory_xact_lock(?)),
  written as (
    insert into audit_event (id, at, actor, action, subject, project_id, result, request_id, client_ip, details)
    select ?, clock_timestamp(), ?, ?, ?, ?, ?, ?, ?, ?::jsonb from turn
    returning 1
  )
  select pg_notify(?, '') from written`

/** Writes an audit event, in the transaction of what it tells of. */
export async function writeAuditEvent(
  em: Em,
  actor: By,
  { action, subject, projectId, result = 'SUCCESS', details }: AuditedAction,
): Promise<void> {
  const by = JSON.stringify({ adminKey: actor.keyId, ...details })
  const row = [newId(), actor.name, action, subject, projectId, result, actor.requestId, actor.clientIp, by]
  await em.execute(INSERT, [AUDIT_LOCK, ...row, AUDIT_CHANNEL])
}
