import type { Attempt } from '../request/attempt.ts'
import { RouteAttempts } from '../request/attempts.ts'
import type { Flight } from '../request/flight.ts'
import type { Step } from '../request/race.ts'
import type { PassedCall } from './call.ts'
import type { SendErrand } from './errand.ts'
import type { ClientBody } from './upload.ts'

/** Methods whose requests may be sent twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['PUT', 'DELETE', 'OPTIONS', 'QUERY'])

/** The attempts of a request that may do something, or brings what can be sent but once. */
export class SendAttempts extends RouteAttempts {
  private readonly body: ClientBody | null
  /** Whether one that a provider has seen may not be sent to another, nor again: it might do twice what it asks for. */
  private readonly once: boolean

  /** @param body one that is not read; null: there is none */
  constructor(flight: Flight, errand: SendErrand, call: PassedCall, body: ClientBody | null) {
    super(flight, errand)
    this.body = body
    this.once = call.keepsState && !IDEMPOTENT.has(errand.method)
  }

  protected override following(failed: Attempt): Step | null | Promise<Step | null> {
    return this.mayFollow(failed) ? super.following(failed) : null
  }

  private mayFollow({ sent, upstreamStatus }: Attempt): boolean {
    if (this.body !== null) return !this.body.begun
    if (!sent) return true
    if (upstreamStatus === null) return !this.once
    // A success is an answer, though it be broken off. Of errors, those below 500 say that nothing was done.
    return upstreamStatus >= 500 ? !this.once : upstreamStatus >= 400
  }
}
