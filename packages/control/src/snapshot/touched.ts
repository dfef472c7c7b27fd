/** What revisions have touched, of all that proxies are told. */
import { isId } from '@millrace/shared'

import type { Em } from '../db/database.ts'

/** Things that are looked up one by one. Of more, reading everything costs no more. */
const MOST_TOUCHED = 5_000

export interface Touched {
  /** Whether any of what requests are routed by. */
  readonly routing: boolean
  readonly projects: boolean
  /** Ids of tokens. */
  readonly tokens: readonly string[]
  /** Ids of projects of which any token may be another. */
  readonly tokensOf: readonly string[]
}

/** Each thing once, however many of its fields have changed. What routing is made of is read as a whole. */
const SINCE = `
  select distinct change->>'kind' as kind,
    case when change->>'kind' in ('token', 'tokens') then change->'identity'->>'id' end as id
  from config_revision, jsonb_array_elements(changes) as change
  where number > ? limit ?`

/** By the revisions after that one. Null: too much to be named, or something that isn't known here; it may be everything. */
export async function touchedSince(em: Em, revision: number): Promise<Touched | null> {
  const changes = await em.execute<{ kind: string; id: string | null }[]>(SINCE, [revision, MOST_TOUCHED + 1])
  if (changes.length > MOST_TOUCHED) return null
  let [routing, projects] = [false, false]
  const tokens: string[] = []
  const tokensOf: string[] = []
  for (const { kind, id } of changes)
    switch (kind) {
      case 'provider':
      case 'credential':
      case 'alias':
      case 'route':
        routing = true
        break
      case 'project':
        projects = true
        break
      case 'token':
      case 'tokens':
        if (id === null || !isId(id)) return null
        ;(kind === 'token' ? tokens : tokensOf).push(id)
        break
      case 'adminKey':
        break
      default:
        return null
    }
  return { routing, projects, tokens, tokensOf }
}
