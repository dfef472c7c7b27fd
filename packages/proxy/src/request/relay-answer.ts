import { estimateTokens, type AttemptErrorClass } from '@millrace/shared'

import { addUpstreamHeaders, gatewayHeaders } from './answer-headers.ts'
import type { Attempt } from './attempt.ts'
import type { Relay } from './relay.ts'

/**
 * A whole answer: held until it is complete, so that a broken one can still be replaced, then sent at once.
 * One that is larger than what may be held is passed on as it comes, its usage unread.
 */
export class AnswerRelay implements Relay {
  private chunks: Buffer[] = []
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
    this.chunks.push(chunk)
    if (this.length > this.attempt.exchange.gateway.maxBodyBytes) this.pass()
  }

  end(): void {
    const { attempt } = this
    if (this.passing) {
      attempt.exchange.res.end()
      attempt.succeed(null, estimateTokens(this.length))
      return
    }
    const bytes = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.length)
    const answer = attempt.call.read(bytes.toString('latin1'))
    if (answer === null) return attempt.fail('upstream_invalid', 'the answer is not a chat completion')
    if ('message' in answer)
      return attempt.fail('upstream_invalid', `an error with status ${attempt.upstreamStatus}: ${answer.message}`)
    const headers = this.head()
    headers.push('content-length', String(answer.body.length))
    attempt.exchange.res.writeHead(attempt.upstreamStatus!, headers)
    attempt.exchange.res.end(answer.body, 'latin1')
    attempt.succeed(answer.usage, estimateTokens(answer.contentLength))
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    const { attempt } = this
    if (this.passing) {
      attempt.settleUsage(null, estimateTokens(this.length))
      attempt.exchange.fail('ERROR', errorClass, message)
      // Half of a body has gone: only the connection's end can still say that it is not whole.
      attempt.exchange.res.destroy()
    }
    attempt.fail(errorClass, message)
  }

  cancel(): void {
    if (this.passing) this.attempt.settleUsage(null, estimateTokens(this.length))
  }

  private pass(): void {
    const { attempt } = this
    const beginning = Buffer.concat(this.chunks, this.length).toString('latin1')
    this.passing = true
    this.chunks = []
    attempt.exchange.res.writeHead(attempt.upstreamStatus!, this.head())
    this.write(Buffer.from(attempt.call.renameModel(beginning), 'latin1'))
  }

  private head(): string[] {
    this.attempt.countWait()
    const headers = gatewayHeaders(this.attempt.exchange)
    addUpstreamHeaders(headers, this.attempt.upstreamHeaders)
    return headers
  }

  private write(chunk: Buffer): void {
    if (!this.attempt.exchange.res.write(chunk)) this.attempt.pause()
  }
}
