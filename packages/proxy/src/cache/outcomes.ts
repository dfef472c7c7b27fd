import type { CacheOutcome, CacheTier } from '@millrace/shared'

/** How many requests came to what, since this process started. */
export class Outcomes {
  memoryHits = 0
  sharedHits = 0
  misses = 0
  bypasses = 0
  coalesced = 0

  /** @param tier where a HIT was found */
  count(outcome: CacheOutcome, tier: CacheTier | null): void {
    if (outcome === 'MISS') this.misses++
    else if (outcome === 'BYPASS') this.bypasses++
    else if (outcome === 'COALESCED') this.coalesced++
    else if (tier === 'SHARED') this.sharedHits++
    else this.memoryHits++
  }

  all(): readonly (readonly [outcome: CacheOutcome, tier: CacheTier | null, count: number])[] {
    return [
      ['HIT', 'MEMORY', this.memoryHits],
      ['HIT', 'SHARED', this.sharedHits],
      ['MISS', null, this.misses],
      ['BYPASS', null, this.bypasses],
      ['COALESCED', null, this.coalesced],
    ]
  }
}
