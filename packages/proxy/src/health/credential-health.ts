import type { CredentialHealthReport } from '@millrace/shared'

import { wallClock } from './wall-clock.ts'

/** What a proxy knows of an upstream key beyond its configuration. Times are `performance.now()`'s. */
export class CredentialHealth {
  /** The provider has asked, by a 429, to be left alone with it until then. */
  coolingUntil = 0
  /** The provider has refused it; until then others are tried before it. */
  distrustedUntil = 0

  /** Null where there is nothing to say: it isn't cooling down. */
  report(credentialId: string, now: number): CredentialHealthReport | null {
    if (now >= this.coolingUntil) return null
    return { credentialId, coolingUntil: wallClock(this.coolingUntil, now), unusable: false }
  }
}
