import type { MemoryLimits } from '../limits/memory.ts'
import type { Admission, Claim, Used } from '../limits/store.ts'
import type { WorkerNews } from './protocol.ts'

/** The claims of one worker, in the primary: what becomes of them when it ends before its requests did. */
export class WorkerClaims {
  private readonly limits: MemoryLimits
  /** Those that are not settled, by their ids. */
  private readonly open = new Map<string, Claim>()

  constructor(limits: MemoryLimits) {
    this.limits = limits
  }

  admit(claim: Claim): Admission {
    const admission = this.limits.admit(claim)
    if (admission.refusal === null) this.open.set(claim.id, claim)
    return admission
  }

  settle(id: string, used: Used): void {
    const claim = this.open.get(id)
    if (claim === undefined) return
    this.open.delete(id)
    this.limits.settle(claim, used)
  }

  assume({ open, sums, rates }: WorkerNews['assume']): void {
    for (const claim of open) this.open.set(claim.id, claim)
    this.limits.assume(open, sums, rates)
  }

  /** The worker is gone: what its requests had reserved counts in full, and they get a record from here. */
  lose(): void {
    for (const id of this.open.keys()) this.limits.lose(id)
    this.open.clear()
  }
}
