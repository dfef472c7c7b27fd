/** What a key sees of the history: of a change of other projects' things, nothing. */
import type { Scope } from '../access/scope.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import { summaryOf } from './change.ts'
import type { ConfigRevision } from './revision.entity.ts'

/** Revisions of which a key sees anything, of table `config_revision`. */
export function seenRevisions({ projects }: Scope): SqlCondition[] {
  if (projects === null) return []
  const sql = `exists (
    select from jsonb_array_elements(changes) as change
    where change->'owners' = 'null'::jsonb or change->'owners' <@ ?::jsonb
  )`
  return [{ sql, values: [JSON.stringify([...projects])] }]
}

/** A revision as a key sees it: null where it sees nothing of it. */
export function seenOf<R extends Pick<ConfigRevision, 'changes' | 'message'>>(revision: R, scope: Scope): R | null {
  if (scope.projects === null) return revision
  const changes = revision.changes.filter(({ owners }) => owners !== undefined && scope.sees(owners))
  if (changes.length === revision.changes.length) return revision
  // Its message tells of all of it.
  return changes.length === 0 ? null : { ...revision, changes, message: summaryOf(changes) }
}
