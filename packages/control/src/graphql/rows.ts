/** Finding the row that a client named. */
import { isId } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import { notFound } from './errors.ts'

type Identified = { id: string }

/**
 * @param kind as an error calls it
 * @param field the argument that named it, where that is not the operation's own `id`
 * @throws GraphQLError NOT_FOUND
 */
export async function requireRow<T extends Identified>(
  em: Em,
  entity: new () => T,
  id: string,
  kind: string,
  field?: string,
): Promise<T> {
  const row = await findRow(em, entity, id)
  if (!row) throw notFound(kind, field)
  return row
}

/** Null where there is none, and for what cannot be an id at all. */
async function findRow<T extends Identified>(em: Em, entity: new () => T, id: string): Promise<T | null> {
  if (!isId(id)) return null
  return em.findOne(entity as new () => Identified, { id: id.toLowerCase() }) as Promise<T | null>
}
