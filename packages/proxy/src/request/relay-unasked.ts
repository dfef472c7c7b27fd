import type { AttemptErrorClass } from '@millrace/shared'

import { Bytes } from '../bytes.ts'
import type { Attempt } from './attempt.ts'
import type { Relay } from './relay.ts'

/** JSON in place of a stream, with success: held whole, for the error that it tells, if it does. */
export class UnaskedRelay implements Relay {
  private readonly bytes = new Bytes()
  private readonly attempt: Attempt

  constructor(attempt: Attempt) {
    this.attempt = attempt
  }

  data(chunk: Buffer): void {
    this.bytes.append(chunk)
    if (this.bytes.length > this.attempt.exchange.gateway.maxBodyBytes) this.fail('')
  }

  end(): void {
    const { asked, translation, upstreamHeaders } = this.attempt
    const answer = translation!.read(asked, this.bytes.take().toString('latin1'), upstreamHeaders)
    this.fail(answer !== null && 'message' in answer ? `: ${answer.message}` : '')
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    this.attempt.fail(errorClass, message)
  }

  cancel(): void {}

  private fail(told: string): void {
    this.attempt.fail('upstream_invalid', `the answer is ${this.attempt.contentType}, which was not asked for${told}`)
  }
}
