import type { GatewayError } from '@millrace/shared'

import type { Delivery } from '../request/answer-sink.ts'
import type { Exchange } from '../request/exchange.ts'
import { cutStatus } from '../request/failure.ts'

/** What is given to a socket at once. */
const AT_ONCE = 65_536
/** The body of a stored answer on its way to one client, no faster than that takes it: many may read the same at once. */
export class StoredBody implements Delivery {
  private readonly exchange: Exchange
  private readonly body: string
  private at = 0

  /** @param body bytes as latin1 */
  constructor(exchange: Exchange, body: string) {
    this.exchange = exchange
    this.body = body
  }

  /** Gives as much as is taken. */
  pump(): void {
    const { exchange, body } = this
    while (body.length - this.at > AT_ONCE) {
      const from = this.at
      this.at += AT_ONCE
      if (exchange.res.write(body.slice(from, this.at), 'latin1')) continue
      exchange.allowStall(false)
      return
    }
    exchange.succeed()
    exchange.end(body.slice(this.at), 'latin1')
  }

  resume(): void {
    if (!this.exchange.over) this.pump()
  }

  cancel(): void {}

  /** Of half a body, only the connection's end can still say that it is not whole. */
  cut(error: GatewayError): boolean {
    this.exchange.fail(cutStatus(error), error.code, error.message)
    this.exchange.res.destroy()
    return true
  }

  abandon(): boolean {
    if (this.exchange.over) return false
    this.exchange.fail('ERROR', 'shutting_down', 'The gateway is shutting down.')
    this.exchange.res.destroy()
    return true
  }
}
