import type { AttemptErrorClass } from '@millrace/shared'

import { Bytes } from '../bytes.ts'
import type { Attempt } from './attempt.ts'
import { classOfStatus, isRetryableStatus, refusalMessage } from './failure.ts'
import type { Relay } from './relay.ts'

/** An answer that is no success: held whole, then the attempt has failed with it. */
export class RefusalRelay implements Relay {
  private readonly bytes = new Bytes()
  private readonly attempt: Attempt
  private readonly passes: boolean

  /** @param passes whether the client gets it, should nothing mend it, unless it only speaks of the gateway's key */
  constructor(attempt: Attempt, passes = false) {
    this.attempt = attempt
    this.passes = passes
  }

  data(chunk: Buffer): void {
    this.bytes.append(chunk)
    if (this.bytes.length > this.attempt.exchange.gateway.maxBodyBytes) {
      this.attempt.fail('upstream_invalid', 'the error answer is too large')
    }
  }

  end(): void {
    const { attempt } = this
    const status = attempt.upstreamStatus!
    const body = this.bytes.take()
    const error = attempt.translation?.errorOf(status, body, attempt.upstreamHeaders) ?? null
    const meant = error?.status ?? status
    attempt.meantStatus = meant
    attempt.toldRetryAfterMs = error?.retryAfterMs ?? null
    const errorClass = classOfStatus(meant)
    const shown = this.passes ? errorClass !== 'upstream_auth' : !isRetryableStatus(meant)
    const headers = attempt.upstreamHeaders
    const told = error && shown ? attempt.translation!.refusal(attempt.asked, meant, headers, error) : { headers, body }
    const message = error ? `HTTP ${status}: ${error.message}` : refusalMessage(status, body)
    attempt.fail(errorClass, message, shown ? { status: meant, ...told } : null)
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    // Half of an explanation is not for the client, but the status of what can be tried again has said enough.
    const { attempt } = this
    const status = attempt.upstreamStatus!
    if (isRetryableStatus(status)) attempt.fail(classOfStatus(status), refusalMessage(status, this.bytes.take()))
    else attempt.fail(errorClass, `HTTP ${status}, cut off: ${message}`)
  }

  cancel(): void {}
}
