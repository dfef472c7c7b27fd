import { FailedAuthentications, GatewayError, type IpKey } from '@millrace/shared'

/** Answers authentications that failed. */
export class FailedKeys {
  private readonly failures = new FailedAuthentications()

  /**
   * What an authentication that failed is answered with.
   * @param error why it failed
   * @param address null: not known
   * @param now milliseconds, of a clock that is never set back
   */
  answer(error: unknown, address: IpKey | null, now: number): unknown {
    if (!(error instanceof GatewayError) || error.code !== 'invalid_api_key') return error
    const waitMs = this.failures.waitMs(address, now)
    if (waitMs === 0) return error
    const message = 'Too many requests with an API key that is not known here have come from this address.'
    return new GatewayError('rate_limit_exceeded', message, { retryAfterMs: waitMs })
  }
}
