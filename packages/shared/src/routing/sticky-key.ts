/** Whose binding a request goes by, and under which key it stands. */
import { createHash } from 'node:crypto'

import { isId } from '../id.ts'
import type { RequestFacts } from './facts.ts'
import { STICKY_SCOPES, type StickyScope } from './names.ts'

const LONGEST_SUBJECT = 200

/**
 * The scope of one request.
 * @param scope the alias's
 * @param header `x-millrace-sticky`: another one for this request, where the alias has one at all
 */
export function stickyScopeOf(scope: StickyScope, header: string | null): StickyScope {
  if (scope === 'NONE' || header === null) return scope
  const asked = header.trim().toUpperCase() as StickyScope
  return STICKY_SCOPES.includes(asked) ? asked : scope
}

/** Null where a request has no subject of that scope. */
export function stickySubjectOf(
  scope: StickyScope,
  { tokenId, user, conversation }: Pick<RequestFacts, 'tokenId' | 'user' | 'conversation'>,
): string | null {
  switch (scope) {
    case 'NONE':
      return null
    case 'TOKEN':
      return tokenId
    case 'USER':
      return user
    case 'CONVERSATION':
      return conversation
  }
}

/** As operators see it. A subject of more than 200 characters stands in it by its SHA-256 hash. */
export function stickyKey(aliasId: string, projectId: string, scope: StickyScope, subject: string): string {
  const short =
    subject.length > LONGEST_SUBJECT ? `sha256:${createHash('sha256').update(subject).digest('hex')}` : subject
  return `${aliasId}:${projectId}:${scope}:${short}`
}

/** The project whose request goes by the binding of a key; null for what is none of the alias's keys. */
export function stickyProject(aliasId: string, key: string): string | null {
  const [alias, project = ''] = key.split(':', 2)
  return alias === aliasId && isId(project) ? project : null
}
