import {
  stickyKey,
  stickyScopeOf,
  stickySubjectOf,
  type Decision,
  type RequestFacts,
  type StickyScope,
} from '@millrace/shared'

import type { StoredBinding } from '../sticky/binding.store.ts'
import type { ExplainedAlias, ExplainedRoute } from './configuration.ts'
import type { StickyOutcomeType } from './outcome.type.ts'

/** Under which key a request's binding would stand; null where it has no subject of its scope. */
export function stickyKeyOf(
  alias: ExplainedAlias | null,
  facts: RequestFacts,
): { readonly scope: StickyScope; readonly key: string | null } {
  const scope = alias === null ? 'NONE' : stickyScopeOf(alias.sticky.scope, facts.header('x-millrace-sticky'))
  const subject = stickySubjectOf(scope, facts)
  const { projectId } = facts
  return { scope, key: subject === null || projectId === null ? null : stickyKey(alias!.id, projectId, scope, subject) }
}

/**
 * The route that would be tried first, and what would become of the binding, which is left as it is.
 * @param binding as it stands; it may have expired
 * @param backend where new ones are kept
 */
export function stickyChoice(
  { scope, key }: ReturnType<typeof stickyKeyOf>,
  binding: StoredBinding | null,
  { tier, chosen }: Decision<ExplainedRoute>,
  backend: string,
): { readonly chosen: ExplainedRoute | null; readonly sticky: StickyOutcomeType } {
  const unbound = { scope, key, hit: false, backend, boundAt: null, expiresAt: null }
  if (key === null || chosen === null) return { chosen, sticky: { ...unbound, action: 'NONE' } }
  if (binding === null) return { chosen, sticky: { ...unbound, action: 'BIND' } }
  const { boundAt, expiresAt } = binding
  if (expiresAt.getTime() <= Date.now()) return { chosen, sticky: { ...unbound, action: 'REBIND_EXPIRED' } }
  const bound = tier.find(({ id }) => id === binding.routeId)
  if (!bound) return { chosen, sticky: { ...unbound, action: 'REBIND_UNAVAILABLE' } }
  const kept = { backend: binding.backend, boundAt, expiresAt }
  return { chosen: bound, sticky: { scope, key, hit: true, action: 'HIT', ...kept } }
}
