import { isId } from '@millrace/shared'

import type { Scope } from '../access/scope.ts'
import { scoped } from '../access/scoped.ts'
import type { Database } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { idText, pageSize, readInput } from '../graphql/input.ts'
import { AuditEvent } from './audit.entity.ts'
import { toAuditEvent, type AuditEventType, type AuditFilter } from './audit.type.ts'

/** What was done, and by whom. */
export class AuditService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Newest first, of what a key sees: of those bound to projects only what concerns theirs. */
  async page(
    scope: Scope,
    filter: AuditFilter,
    requested: number | null,
    after: string | null,
  ): Promise<Page<AuditEventType>> {
    const first = readInput(pageSize, requested ?? 50, 'first')
    const { actor, action, result, from, to } = filter
    const project = readInput(idText.nullish(), filter.project, 'filter.project')
    const conditions: object[] = []
    if (actor != null) conditions.push({ actor })
    if (action != null) conditions.push({ action })
    if (result != null) conditions.push({ result })
    if (project != null) conditions.push({ projectId: project })
    if (from != null) conditions.push({ at: { $gte: from } })
    if (to != null) conditions.push({ at: { $lt: to } })
    // By id, which sorts by the time it was made.
    if (after !== null) conditions.push({ id: { $lt: decodeCursor('auditEvents', after, isId)[0]! } })
    const em = scoped(this.#database.em(), scope)
    const rows = await em.find(AuditEvent, { $and: conditions }, { orderBy: { id: 'desc' }, limit: first + 1 })
    return pageOf(rows, first, after, ({ id }) => encodeCursor('auditEvents', id), toAuditEvent)
  }
}
