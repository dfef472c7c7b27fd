import type { ServerResponse } from 'node:http'

import type { AttemptErrorClass } from '@millrace/shared'

import type { Fill } from '../cache/http/http-cache.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Relay } from '../request/relay.ts'
import { passedHead } from './head.ts'

/** An answer that passes through as it comes: any status, any bytes. */
export class PassedRelay implements Relay {
  private readonly attempt: Attempt
  /** What stores it; null: nothing does, or no more. */
  private fill: Fill | null

  constructor(attempt: Attempt, fill: Fill | null) {
    this.attempt = attempt
    this.fill = fill
    attempt.claim()
    const { exchange } = attempt
    exchange.res.writeHead(attempt.upstreamStatus!, passedHead(attempt))
    // The head of a slow answer is to be seen; that of most goes with what follows at once.
    setImmediate(showHead, exchange.res)
  }

  data(chunk: Buffer): void {
    if (this.fill?.add(chunk.toString('latin1')) === false) this.fill = null
    if (!this.attempt.exchange.res.write(chunk)) this.attempt.pause()
  }

  end(): void {
    const { attempt, fill } = this
    fill?.end()
    attempt.succeed()
    attempt.exchange.end()
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    const { attempt } = this
    this.fill?.drop()
    attempt.fail(errorClass, message)
    attempt.flight.sink.breakOff(attempt.failure!)
  }

  cancel(): void {
    this.fill?.drop()
  }
}

function showHead(res: ServerResponse): void {
  if (!res.destroyed && !res.writableEnded) res.flushHeaders()
}
