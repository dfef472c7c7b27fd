/**
 * Whether an alias's answers can be given again, and what tells its requests apart. Made of the configuration alone, so that
 * all proxies agree.
 */
import { hash } from 'node:crypto'

import {
  conditionFields,
  type Access,
  type CachePolicy,
  type SnapshotAlias,
  type SnapshotProvider,
  type SnapshotRoute,
} from '@millrace/shared'

/** What conditions may read that neither the body's members say nor whose request it is: names may change. */
export type KeyedFact = 'token_name' | 'project_name' | 'estimated_input_tokens'

export interface CompiledCache {
  readonly policy: CachePolicy
  /** Whether a key can say all that decides which provider answers. If not, the alias has a policy that is not carried out. */
  readonly cacheable: boolean
  /** Another one for routes that may answer otherwise, and for other rules of what is kept, and for how long. */
  readonly routesDigest: string
  /** The body's outermost members that count even if they don't for the endpoint. */
  readonly members: ReadonlySet<string>
  /** What else counts. */
  readonly facts: readonly KeyedFact[]
}

/** What any key has, or (`stream`) is given of the body where it is asked for. */
const ALWAYS_KEYED: ReadonlySet<string> = new Set([
  'endpoint',
  'stream',
  'model',
  'project',
  'max_tokens',
  'tools',
  'images',
])
const FACTS: readonly string[] = ['token_name', 'project_name', 'estimated_input_tokens'] satisfies KeyedFact[]

/** @returns null: answers are neither stored nor shared */
export function compileCache(alias: SnapshotAlias, providerOf: (id: string) => SnapshotProvider): CompiledCache | null {
  const { cache: policy, routes } = alias
  if (!policy.enabled && !policy.coalesce) return null
  const members = new Set<string>()
  const facts = new Set<KeyedFact>()
  let cacheable = true
  for (const { enabled, providerId, condition } of routes) {
    const { enabled: open, access } = providerOf(providerId)
    if (!enabled || !open) continue
    for (const field of fieldsOf(condition)) {
      if (!isKeyed(field, policy)) cacheable = false
      else if (field === 'stream') members.add(field)
      else if (FACTS.includes(field)) facts.add(field as KeyedFact)
    }
    if (access === null) continue
    if (asksOutsideBody(access)) cacheable = false
    for (const name in access.params) members.add(name)
  }
  return { policy, cacheable, routesDigest: routesDigest(alias, providerOf), members, facts: [...facts].sort() }
}

/** Whether the key can have a field that a condition reads. */
function isKeyed(field: string, { shareAcrossProject }: CachePolicy): boolean {
  if (field === 'token' || field === 'token_name') return !shareAcrossProject
  return ALWAYS_KEYED.has(field) || FACTS.includes(field)
}

/** What a condition reads; one that this version does not understand reads what no key has. */
function fieldsOf(condition: SnapshotRoute['condition']): Iterable<string> {
  if (condition === null) return []
  try {
    return conditionFields(condition)
  } catch {
    return ['']
  }
}

function asksOutsideBody({ origins, ipRanges, requiredHeaders }: Access): boolean {
  return origins !== null || ipRanges !== null || requiredHeaders !== null
}

/**
 * A digest of all by which routes decide what an answer is, as it is configured: which provider may be asked, when, and for
 * what. The alias's name is part of it, since the `*` in it is. So is what its policy says of keeping answers: what it does
 * not allow any more must not be given, though it was stored when it did.
 */
function routesDigest(
  { name, cache, routes, unknownParameters }: SnapshotAlias,
  providerOf: (id: string) => SnapshotProvider,
): string {
  const deciding = routes.map(({ id, providerId, providerModel, priority, weight, enabled, condition }) => {
    const provider = providerOf(providerId)
    return [
      [id, providerModel, priority, weight, enabled, condition],
      [providerId, provider.kind, provider.baseUrl, provider.enabled, provider.settings, provider.access],
    ]
  })
  return hash(
    'sha256',
    JSON.stringify([name, cache.ttlSeconds, cache.storeToolCalls, unknownParameters, deciding]),
    'base64url',
  )
}
