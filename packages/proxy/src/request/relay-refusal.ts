import type { AttemptErrorClass } from '@millrace/shared'

import type { Attempt } from './attempt.ts'
import { classOfStatus, isRetryable, refusalMessage } from './failure.ts'
import type { Relay } from './relay.ts'

/** An answer that is no success: held whole, then the attempt has failed with it. */
export class RefusalRelay implements Relay {
  private readonly chunks: Buffer[] = []
  private length = 0
  private readonly attempt: Attempt

  constructor(attempt: Attempt) {
    this.attempt = attempt
  }

  data(chunk: Buffer): void {
    this.length += chunk.length
    if (this.length > this.attempt.exchange.gateway.maxBodyBytes)
      this.attempt.fail('upstream_invalid', 'the error answer is too large')
    else this.chunks.push(chunk)
  }

  end(): void {
    this.fail()
  }

  broken(_errorClass: AttemptErrorClass, _message: string): void {
    // The status has said enough; half of its explanation is not for the client.
    this.fail()
  }

  cancel(): void {}

  private fail(): void {
    const { attempt } = this
    const status = attempt.upstreamStatus!
    const body = Buffer.concat(this.chunks)
    const refusal = isRetryable(status) ? null : { status, headers: attempt.upstreamHeaders, body }
    attempt.fail(classOfStatus(status), refusalMessage(status, body), refusal)
  }
}
