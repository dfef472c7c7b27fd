import type { ServerResponse } from 'node:http'

import type { AttemptErrorClass } from '@millrace/shared'

import type { Fill } from '../cache/http/http-cache.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Relay } from '../request/relay.ts'
import { passedHead } from './head.ts'
import type { UsageTail } from './usage.ts'

/** An answer that passes through as it comes: any status, any bytes. */
export class PassedRelay implements Relay {
  private readonly attempt: Attempt
  /** What stores it; null: nothing does, or no more. */
  private fill: Fill | null
  /** What finds its usage; null: it is not looked for. */
  private readonly tail: UsageTail | null

  constructor(attempt: Attempt, fill: Fill | null, tail: UsageTail | null) {
    this.attempt = attempt
    this.fill = fill
    this.tail = tail
    attempt.claim()
    attempt.call.release()
    const { exchange } = attempt
    exchange.res.writeHead(attempt.upstreamStatus!, passedHead(attempt))
    // The head of a slow answer is to be seen; that of most goes with what follows at once.
    setImmediate(showHead, exchange.res)
  }

  data(chunk: Buffer): void {
    const { attempt, tail } = this
    if (attempt.call.stream && attempt.firstTokenAt === null) attempt.contentSeen()
    tail?.add(chunk)
    if (this.fill?.add(chunk.toString('latin1')) === false) this.fill = null
    if (!attempt.exchange.res.write(chunk)) attempt.pause()
  }

  end(): void {
    const { attempt, fill } = this
    fill?.end()
    this.settle()
    attempt.succeed()
    attempt.exchange.end()
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    const { attempt } = this
    this.fill?.drop()
    this.settle()
    attempt.fail(errorClass, message)
    attempt.flight.sink.breakOff(attempt.failure!)
  }

  cancel(): void {
    this.fill?.drop()
    this.settle()
  }

  private settle(): void {
    const usage = this.tail?.read() ?? null
    if (usage !== null) this.attempt.settleUsage(usage, 0)
  }
}

function showHead(res: ServerResponse): void {
  if (!res.destroyed && !res.writableEnded) res.flushHeaders()
}
