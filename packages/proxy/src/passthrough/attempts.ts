import { GatewayError } from '@millrace/shared'

import type { StoredResponse } from '../cache/http/response.ts'
import type { Attempt } from '../request/attempt.ts'
import { RouteAttempts } from '../request/attempts.ts'
import type { Flight } from '../request/flight.ts'
import type { Step } from '../request/race.ts'
import { modelFor } from '../routing/price.ts'
import type { PassedCaching } from './caching.ts'
import type { FetchErrand } from './errand.ts'
import { sendStored } from './send-stored.ts'

/** Routes in whose name the cache is asked. */
const MOST_LOOKED_AT = 16
/** RFC 5861, section 4. */
const ERRORS: ReadonlySet<number> = new Set([500, 502, 503, 504])

/** The attempts of a GET or HEAD that is passed on. What is stored may answer it before them, or where all have failed. */
export class PassedAttempts extends RouteAttempts {
  /** Null: the cache has no part in it. */
  private readonly caching: PassedCaching | null

  constructor(flight: Flight, errand: FetchErrand, caching: PassedCaching | null) {
    super(flight, errand)
    this.caching = caching
  }

  /** @returns whether the client was given what is stored */
  answerFromCache(): boolean {
    const stored = this.storedThat('isUsable')
    if (stored !== null) this.give(stored, 'hit')
    return stored !== null
  }

  override async run(): Promise<void> {
    try {
      await super.run()
    } catch (error) {
      const asked = this.flight.attempts.length > 0
      if (asked || !(error instanceof GatewayError) || !ERRORS.has(error.status) || !this.standIn(null)) throw error
    }
  }

  protected override following(failed: Attempt): Step | null | Promise<Step | null> {
    // Nobody is made to wait for what may not come, either.
    return isError(failed) && this.storedThat('standsIn') !== null ? null : super.following(failed)
  }

  protected override giveUp(failed: Attempt): void {
    if (isError(failed) && this.standIn(failed)) return
    super.giveUp(failed)
  }

  /** Gives what is stored in place of an error, if it may be. @param failed null: no provider could be asked */
  private standIn(failed: Attempt | null): boolean {
    const stored = this.storedThat('standsIn')
    if (stored === null) return false
    const status = failed?.upstreamStatus ?? null
    this.flight.blamed = failed
    this.give(stored, `fwd=stale${status === null ? '' : `; fwd-status=${status}`}; detail=stale-if-error`)
    return true
  }

  private give(stored: StoredResponse, how: string): void {
    sendStored(this.flight.lead, stored, this.caching!.isHeld(stored), how)
  }

  /** What is stored of the first route that the request may go by, and may be given so; null: nothing is. */
  private storedThat(maybe: 'isUsable' | 'standsIn'): StoredResponse | null {
    const { caching, flight, choice } = this
    const { alias } = flight.found
    if (caching === null || !alias.enabled) return null
    for (const route of alias.routes.slice(0, MOST_LOOKED_AT)) {
      if (choice.view.refusalAt(route) !== null || (route.condition !== null && !route.condition(choice.view))) continue
      const stored = caching.storedAt(route, modelFor(route, flight.found))
      if (stored !== null && caching[maybe](stored)) return stored
    }
    return null
  }
}

/** Whether a provider could not answer, for reasons of its own. */
function isError({ failure, upstreamStatus }: Attempt): boolean {
  const { errorClass } = failure!
  if (errorClass === 'transport_error' || errorClass.endsWith('_timeout')) return true
  return upstreamStatus !== null && ERRORS.has(upstreamStatus)
}
