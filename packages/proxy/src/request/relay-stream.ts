import type { AttemptErrorClass, TokenUsage } from '@millrace/shared'

import { eventData } from '../stream/events.ts'
import type { StreamObserver } from '../stream/observed.ts'
import type { Splitter } from '../stream/splitter.ts'
import type { Translation } from '../translation/translation.ts'
import type { Attempt } from './attempt.ts'
import type { Relay } from './relay.ts'

/** Events before the first content are held so far; an upstream that says much before it answers is let through. */
const MOST_HELD = 65_536

/**
 * A stream: its events go on as they come, with back-pressure. Nothing goes before the first content, so that until then
 * another route can still answer.
 */
export class StreamRelay implements Relay {
  /** What came before the answer begins. */
  private held = ''
  /** Where in {@link held} each event begins and ends that only tells usage; null: there is none. */
  private heldUsage: number[] | null = null
  private begun = false
  private settled = false
  private readonly splitter: Splitter
  private readonly observer: StreamObserver
  private readonly attempt: Attempt

  constructor(attempt: Attempt, translation: Translation) {
    this.attempt = attempt
    this.splitter = translation.splitter()
    this.observer = translation.observe(attempt.asked, attempt.flight.sink.keepsUsage)
  }

  get usage(): TokenUsage | null {
    return this.observer.usage
  }

  get outputTokens(): number {
    return this.observer.contentEvents
  }

  data(chunk: Buffer): void {
    const { splitter, observer } = this
    let out = ''
    splitter.pushBytes(chunk)
    while (splitter.next()) {
      const event = observer.take(splitter.text, splitter.start, splitter.end)
      if (observer.error !== null) return this.inBandError(out)
      if (observer.usageStart < 0) {
        out += event
      } else {
        this.write(out + event.slice(0, observer.usageStart))
        this.writeUsage(event.slice(observer.usageStart, observer.usageEnd))
        out = event.slice(observer.usageEnd)
      }
    }
    if (observer.ended) this.settle()
    this.write(out)
    if (observer.ended && this.begun) this.attempt.flight.sink.done()
    if (splitter.fault !== null) this.stop('upstream_invalid', splitter.fault)
    else if (splitter.pendingLength > this.attempt.exchange.gateway.maxBodyBytes)
      this.stop('upstream_invalid', 'an event is larger than an answer may be')
  }

  end(): void {
    const { observer } = this
    const rest = this.splitter.rest()
    if (isWhole(rest)) this.sayLast(observer.take(`${rest}\n\n`, 0, rest.length + 2))
    if (observer.error === null && !observer.ended) this.sayLast(observer.close())
    if (observer.error !== null) this.inBandError('')
    else if (observer.ended) this.succeed()
    else this.stop('stream_truncated', 'the stream ended without its terminal event')
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    if (this.observer.ended) this.succeed()
    else this.stop(errorClass, message)
  }

  cancel(): void {
    const { attempt, observer } = this
    this.settle()
    // A client may hang up on seeing [DONE], before the connection is done with it.
    if (!observer.ended || !this.begun) return
    attempt.succeed()
    attempt.flight.sink.end('')
  }

  private sayLast(text: string): void {
    const { observer } = this
    if (observer.ended) this.settle()
    if (observer.usageStart < 0) return this.write(text)
    this.write(text.slice(0, observer.usageStart))
    this.writeUsage(text.slice(observer.usageStart, observer.usageEnd))
    this.write(text.slice(observer.usageEnd))
  }

  private write(out: string): void {
    const { attempt, observer } = this
    if (!this.begun) {
      this.held += out
      if (!observer.hasContent && this.held.length < MOST_HELD) return
      out = this.begin()
    }
    attempt.flight.sequence = observer.sequence
    if (attempt.firstTokenAt === null && observer.hasContent) attempt.contentSeen()
    if (out !== '' && !attempt.flight.sink.write(out)) attempt.pause()
  }

  private writeUsage(event: string): void {
    if (event === '') return
    if (this.begun) {
      if (!this.attempt.flight.sink.writeUsage(event)) this.attempt.pause()
      return
    }
    const { length } = this.held
    ;(this.heldUsage ??= []).push(length, length + event.length)
    this.write(event)
  }

  /** @returns what was held until now, as far as it did not have to go at once */
  private begin(): string {
    const { attempt, held, heldUsage } = this
    this.held = ''
    this.begun = true
    attempt.claim()
    attempt.flight.sink.begin(attempt, true)
    attempt.call.release()
    if (heldUsage === null) return held
    let from = 0
    for (let i = 0; i < heldUsage.length; i += 2) {
      const [start, end] = [heldUsage[i]!, heldUsage[i + 1]!]
      this.write(held.slice(from, start))
      this.writeUsage(held.slice(start, end))
      from = end
    }
    return held.slice(from)
  }

  /** What was used is known: as the provider has said, or by what has come. */
  private settle(): void {
    if (this.settled) return
    this.settled = this.observer.ended
    this.attempt.settleUsage(this.observer.usage, this.observer.contentEvents)
  }

  private succeed(): void {
    const { attempt } = this
    const held = this.begun ? '' : this.begin()
    this.settle()
    attempt.succeed()
    attempt.flight.sink.end(held)
  }

  private inBandError(out: string): void {
    const { message, type, code } = this.observer.error!
    this.write(out)
    this.stop('stream_error', [type, code, message].filter(Boolean).join(': '))
  }

  /** The stream cannot go on. Before the first byte the attempt has failed; after it the client is told in the stream. */
  private stop(errorClass: AttemptErrorClass, message: string): void {
    const { attempt } = this
    attempt.fail(errorClass, message)
    if (!this.begun) return
    this.settle()
    attempt.flight.sink.breakOff(attempt.failure!)
  }
}

/** Whether a last event that lacks its blank line is complete all the same, not cut off in the middle. */
function isWhole(event: string): boolean {
  const data = eventData(event)?.trim()
  if (data === undefined || data === '[DONE]') return data !== undefined
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}
