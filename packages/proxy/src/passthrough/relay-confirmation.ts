import type { AttemptErrorClass } from '@millrace/shared'

import type { Attempt } from '../request/attempt.ts'
import type { Relay } from '../request/relay.ts'
import type { PassedCaching, Stale } from './caching.ts'
import { sendStored } from './send-stored.ts'

/** A provider says that what is stored still holds: that is the answer. */
export class ConfirmationRelay implements Relay {
  private readonly attempt: Attempt
  private readonly caching: PassedCaching
  private readonly stale: Stale

  constructor(attempt: Attempt, caching: PassedCaching, stale: Stale) {
    this.attempt = attempt
    this.caching = caching
    this.stale = stale
  }

  data(): void {}

  end(): void {
    const { attempt, caching, stale } = this
    const stored = caching.confirm(stale, attempt)
    attempt.claim()
    attempt.succeed()
    sendStored(attempt.exchange, stored, caching.isHeld(stored), `fwd=${stale.why}; fwd-status=304`)
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    this.attempt.fail(errorClass, message)
  }

  cancel(): void {}
}
