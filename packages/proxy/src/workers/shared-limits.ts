import { GatewayError } from '@millrace/shared'

import type { Admission, Claim, LocalLimits, RateLevel, SpentSum, Used } from '../limits/store.ts'
import { ChannelError } from './channel.ts'
import type { ToPrimary } from './link.ts'

/** The primary does no more than count: one that takes longer is in trouble. */
const DEADLINE_MS = 1_000
const RETRY_MS = 1_000
const NOTHING: Used = { tokens: 0, cost: 0n, counted: false }

/** The primary's counts, which all workers share. */
export class SharedLimits implements LocalLimits {
  private readonly primary: ToPrimary

  constructor(primary: ToPrimary) {
    this.primary = primary
  }

  /** @throws GatewayError limits_unavailable if the primary does not answer in time; then nothing is taken, or it is given back */
  async admit(claim: Claim): Promise<Admission> {
    try {
      return await this.primary.ask('admit', claim, DEADLINE_MS)
    } catch (error) {
      if (!(error instanceof ChannelError) || error.put) this.settle(claim, NOTHING)
      throw new GatewayError('limits_unavailable', 'The gateway cannot count this request towards its limits now.', {
        retryAfterMs: RETRY_MS,
      })
    }
  }

  settle({ id }: Claim, used: Used): void {
    this.primary.tell('settle', { id, used })
  }

  raise(sums: readonly SpentSum[]): void {
    if (sums.length > 0) this.primary.mention('raise', sums)
  }

  assume(open: readonly Claim[], sums: readonly SpentSum[], rates: readonly RateLevel[]): void {
    this.primary.tell('assume', { open, sums, rates })
  }
}
