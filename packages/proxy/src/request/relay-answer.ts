import { estimateTokens, type AttemptErrorClass } from '@millrace/shared'

import { Bytes } from '../bytes.ts'
import { addUpstreamHeaders, gatewayHeaders } from './answer-headers.ts'
import { includesMetadata, withMetadata } from './answer-metadata.ts'
import type { Attempt } from './attempt.ts'
import { brokenOff, clientMessage } from './failure.ts'
import type { Relay } from './relay.ts'

/**
 * A whole answer: held until it is complete, so that a broken one can still be replaced, then sent at once.
 * One that is larger than what may be held is passed on as it comes, its usage unread.
 */
export class AnswerRelay implements Relay {
  private readonly held = new Bytes()
  private length = 0
  private passing = false
  private readonly attempt: Attempt

  constructor(attempt: Attempt) {
    this.attempt = attempt
  }

  data(chunk: Buffer): void {
    this.length += chunk.length
    if (this.passing) {
      this.write(chunk)
      return
    }
    this.held.append(chunk)
    if (this.length > this.attempt.exchange.gateway.maxBodyBytes) this.pass()
  }

  end(): void {
    const { attempt } = this
    const { exchange } = attempt
    if (this.passing) {
      attempt.succeed(null, estimateTokens(this.length))
      exchange.end()
      return
    }
    const answer = attempt.call.read(this.held.take().toString('latin1'))
    if (answer === null) return attempt.fail('upstream_invalid', 'the answer is not a chat completion')
    if ('message' in answer) {
      return attempt.fail('upstream_invalid', `an error with status ${attempt.upstreamStatus}: ${answer.message}`)
    }
    attempt.claim()
    const headers = this.head()
    attempt.succeed(answer.usage, estimateTokens(answer.contentLength))
    if (exchange.costUsd !== null) headers.push('x-millrace-cost-usd', exchange.costUsd)
    const body = includesMetadata(exchange) ? withMetadata(answer.body, attempt) : answer.body
    headers.push('content-length', String(body.length))
    exchange.res.writeHead(attempt.upstreamStatus!, headers)
    exchange.end(body, 'latin1')
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    const { attempt } = this
    attempt.fail(errorClass, message)
    if (!this.passing) return
    attempt.settleUsage(null, estimateTokens(this.length))
    const { status, code } = brokenOff(errorClass, attempt.exchange.cutBy)
    attempt.exchange.fail(status, code, clientMessage(attempt.failure!))
    // Half of a body has gone: only the connection's end can still say that it is not whole.
    attempt.exchange.res.destroy()
  }

  cancel(): void {
    if (this.passing) this.attempt.settleUsage(null, estimateTokens(this.length))
  }

  private pass(): void {
    const { attempt } = this
    const beginning = this.held.take().toString('latin1')
    this.passing = true
    attempt.claim()
    attempt.exchange.res.writeHead(attempt.upstreamStatus!, this.head())
    this.write(Buffer.from(attempt.call.renameModel(beginning), 'latin1'))
  }

  private head(): string[] {
    const headers = gatewayHeaders(this.attempt.exchange)
    addUpstreamHeaders(headers, this.attempt.upstreamHeaders)
    return headers
  }

  private write(chunk: Buffer): void {
    if (!this.attempt.exchange.res.write(chunk)) this.attempt.pause()
  }
}
