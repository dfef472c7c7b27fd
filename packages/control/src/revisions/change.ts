/**
 * The one way to change configuration: rows, revision, audit event and announcement in one transaction.
 * Nothing writes configuration tables around it.
 */
import { requireGoodKey } from '../access/good-key.ts'
import { EVERYWHERE, type Scope } from '../access/scope.ts'
import { scoped } from '../access/scoped.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database, Em } from '../db/database.ts'
import { CHANGE_LOCK } from '../db/locks.ts'
import { differences, type Description, type Difference, type ShownDifference, type Subject } from './difference.ts'

/** The channel on which a revision's number is announced. */
export const CONFIG_CHANNEL = 'millrace_config'

const LONGEST_MESSAGE = 200

/** Who changes something, and by which request. */
export interface Actor {
  readonly name: string
  /** Of the admin key. Its name may be another key's once it is revoked. */
  readonly keyId: string | null
  readonly requestId: string | null
  readonly clientIp: string | null
  /** What it may change. */
  readonly scope: Scope
}

/** For what is changed without anybody asking. No admin key may have its name. */
export const MILLRACE: Actor = { name: 'millrace', keyId: null, requestId: null, clientIp: null, scope: EVERYWHERE }

/** A change under way: the transaction, and what was done in it so far. What is out of its actor's reach is not there. */
export class Change {
  readonly em: Em
  readonly scope: Scope
  readonly #done: Difference[] = []
  /** The project that it concerns, for the audit event. */
  projectId: string | null = null

  constructor(em: Em, scope: Scope) {
    this.em = scoped(em, scope)
    this.scope = scope
  }

  get done(): readonly Difference[] {
    return this.#done
  }

  /** @throws GraphQLError FORBIDDEN if the actor may not, as the other two */
  created(subject: Subject, after: Description): void {
    this.scope.requireOwn(subject.owners)
    this.#done.push({ action: 'CREATE', ...subject, path: null, before: null, after })
  }

  /** Notes each field that differs. An update that changes nothing is none. */
  updated(subject: Subject, before: Description, after: Description): void {
    this.scope.requireOwn(subject.owners)
    for (const difference of differences(before, after))
      this.#done.push({ action: 'UPDATE', ...subject, ...difference })
  }

  deleted(subject: Subject, before: Description): void {
    this.scope.requireOwn(subject.owners)
    this.#done.push({ action: 'DELETE', ...subject, path: null, before, after: null })
  }
}

/**
 * Runs `work` in a transaction and, if it has changed anything, makes the next revision of it.
 * Changes of all control processes on a database take turns. Those of one process do so before they open a transaction:
 * each that waited for the lock would hold a connection, and soon there would be none left for reading.
 * @param action the mutation's name, for the audit event
 */
export function changeConfiguration<T>(
  database: Database,
  actor: Actor,
  action: string,
  work: (change: Change) => Promise<T>,
): Promise<T> {
  return database.changes.take(() =>
    database.em().transactional(async (em) => {
      await em.execute('select pg_advisory_xact_lock(?)', [CHANGE_LOCK])
      await requireGoodKey(em, actor)
      const change = new Change(em, actor.scope)
      const result = await work(change)
      await em.flush()
      if (change.done.length > 0) await writeHistory(change, actor, action)
      return result
    }),
  )
}

async function writeHistory(change: Change, actor: Actor, action: string): Promise<void> {
  const { em, done, projectId } = change
  const summary = summaryOf(done)
  const [revision] = await em.execute<{ number: number }[]>(
    `insert into config_revision (number, created_at, author, message, changes)
     select coalesce(max(number), 0) + 1, clock_timestamp(), ?, ?, ?::jsonb from config_revision
     returning number`,
    [actor.name, summary, JSON.stringify(done)],
  )
  await writeAuditEvent(em, actor, {
    action,
    subject: `${done[0]!.kind} ${done[0]!.name}`,
    projectId,
    details: { revision: revision!.number, changes: done.map(shown) },
  })
  await em.execute('select pg_notify(?, ?)', [CONFIG_CHANNEL, String(revision!.number)])
}

function shown({ action, kind, name, path, before, after }: Difference): ShownDifference {
  return { action, kind, name, path, before, after }
}

/** `create provider openai, create alias gpt`, each thing once. */
export function summaryOf(done: readonly Difference[]): string {
  const parts = new Set(done.map(({ action, kind, name }) => `${action.toLowerCase()} ${kind} ${name}`))
  const summary = [...parts].join(', ')
  return summary.length > LONGEST_MESSAGE ? `${summary.slice(0, LONGEST_MESSAGE - 1)}…` : summary
}
