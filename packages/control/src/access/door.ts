/** Where whoever speaks to this API comes in: their address, their key, and how often an address may come without a good one. */
import { clientIp, FailedAuthentications, type IpKey, type IpRanges } from '@millrace/shared'
import type { GraphQLError } from 'graphql'

import type { Refusals, Source } from '../audit/refusals.ts'
import { unauthenticated } from '../graphql/errors.ts'
import type { Authenticator, Viewer } from './authenticate.ts'

export interface Entry {
  /** Null without a key, and with one that is not good. */
  readonly viewer: Viewer | null
  /** Above 0: too many keys of this address were not good; when to try again. A good one is never refused. */
  readonly waitMs: number
}

export class Door {
  readonly #authenticator: Authenticator
  readonly #refusals: Refusals
  readonly #trusted: IpRanges | undefined
  readonly #failures = new FailedAuthentications()

  /** @param trusted whose `x-forwarded-for` is believed; undefined: nobody's */
  constructor(authenticator: Authenticator, refusals: Refusals, trusted: IpRanges | undefined) {
    this.#authenticator = authenticator
    this.#refusals = refusals
    this.#trusted = trusted
  }

  /** Where a request comes from, whichever proxies it came through. */
  clientOf(socketAddress: string | undefined, forwardedFor: string | readonly string[] | undefined): IpKey | null {
    return clientIp(socketAddress, forwardedFor, this.#trusted)
  }

  /**
   * @param authorization as the header: `Bearer …`
   * @param by what it came in by, for the audit event of a key that is not good
   */
  async enter(
    authorization: string | null,
    client: IpKey | null,
    source: Source,
    by: 'HTTP' | 'WebSocket' | 'Stream',
  ): Promise<Entry> {
    const viewer = await this.#authenticator.viewer(authorization)
    if (viewer !== null) return { viewer, waitMs: 0 }
    const waitMs = authorization === null ? 0 : this.#failures.waitMs(client, performance.now())
    // What comes in by HTTP is noted with the operation that it is refused.
    if (by !== 'HTTP' || waitMs > 0)
      await this.#refusals.note(null, source, { subject: `${by}.connect`, code: 'UNAUTHENTICATED' })
    return { viewer, waitMs }
  }
}

export function tooManyFailures(): GraphQLError {
  return unauthenticated('too many keys that are not good have come from this address')
}
