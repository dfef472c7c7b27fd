import type { CompiledAccess } from '../access/access.ts'
import type { LimitedSubject } from '../limits/store.ts'
import type { CompiledToken } from './compiled.ts'

/** What many tokens have none of. */
export interface Special {
  /** Those of all tokens with the same limits; the id in it is none's. */
  readonly limits: LimitedSubject | null
  readonly used: LimitedSubject['used']
  readonly access: CompiledAccess | null
}

/** So many different ones are known again; beyond, it begins anew. */
const MOST_KNOWN = 10_000

/** Takes limits apart from the tokens that have them, since thousands have the same. */
export class SpecialTerms {
  private readonly limits = new Map<string, LimitedSubject>()
  /** Of those that have used nothing yet, by the window. */
  private readonly unused = new Map<string | null, NonNullable<LimitedSubject['used']>>()

  /** Null if the token has nothing special. */
  of({ limited, access }: CompiledToken): Special | null {
    if (limited === null && access === null) return null
    return { limits: limited && this.limitsOf(limited), used: limited && this.usedOf(limited.used), access }
  }

  limitedOf(id: string, { limits, used }: Special): LimitedSubject | null {
    return limits && { ...limits, id, used }
  }

  private limitsOf(subject: LimitedSubject): LimitedSubject {
    const { requestsPerMinute, tokensPerMinute, maxConcurrent, maxRequests, budget } = subject
    const key = [requestsPerMinute, tokensPerMinute, maxConcurrent, maxRequests, budget?.limit, budget?.period].join()
    return this.limits.get(key) ?? remember(this.limits, key, { ...subject, id: '', used: null })
  }

  private usedOf(used: LimitedSubject['used']): LimitedSubject['used'] {
    if (used === null || used.requests > 0 || Number(used.spentUsd) > 0) return used
    return this.unused.get(used.window) ?? remember(this.unused, used.window, used)
  }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V): V {
  if (map.size >= MOST_KNOWN) map.clear()
  map.set(key, value)
  return value
}
