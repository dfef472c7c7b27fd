import { estimateTokens, type AttemptErrorClass } from '@millrace/shared'

import { Bytes } from '../bytes.ts'
import type { Translation } from '../translation/translation.ts'
import type { Attempt } from './attempt.ts'
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
  private readonly translation: Translation

  constructor(attempt: Attempt, translation: Translation) {
    this.attempt = attempt
    this.translation = translation
  }

  /** Of one that is held, nothing is read until it is complete. */
  get outputTokens(): number {
    return this.passing ? estimateTokens(this.length) : 0
  }

  data(chunk: Buffer): void {
    this.length += chunk.length
    if (this.passing) {
      this.write(chunk.toString('latin1'))
      return
    }
    this.held.append(chunk)
    if (this.length <= this.attempt.exchange.gateway.maxBodyBytes) return
    if (this.translation.passes) this.pass()
    else this.attempt.fail('upstream_invalid', 'the answer is larger than can be translated')
  }

  end(): void {
    const { attempt } = this
    const { flight } = attempt
    if (this.passing) {
      attempt.settleUsage(null, estimateTokens(this.length))
      attempt.succeed()
      flight.sink.end('')
      return
    }
    const text = this.held.take().toString('latin1')
    const answer = this.translation.read(attempt.asked, text, attempt.upstreamHeaders)
    if (answer === null) return attempt.fail('upstream_invalid', 'the answer is not what the API promises')
    if ('message' in answer) {
      return attempt.fail('upstream_invalid', `an error with status ${attempt.upstreamStatus}: ${answer.message}`)
    }
    attempt.claim()
    attempt.settleUsage(answer.usage, estimateTokens(answer.contentLength))
    attempt.succeed()
    flight.sink.whole(attempt, answer.body)
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    const { attempt } = this
    attempt.fail(errorClass, message)
    if (!this.passing) return
    attempt.settleUsage(null, estimateTokens(this.length))
    attempt.flight.sink.breakOff(attempt.failure!)
  }

  cancel(): void {
    if (this.passing) this.attempt.settleUsage(null, estimateTokens(this.length))
  }

  private pass(): void {
    const { attempt } = this
    const beginning = this.held.take().toString('latin1')
    this.passing = true
    attempt.claim()
    attempt.flight.sink.begin(attempt, false)
    this.write(attempt.call.renameModel(beginning))
  }

  private write(text: string): void {
    if (!this.attempt.flight.sink.write(text)) this.attempt.pause()
  }
}
