/** The answer of a flight that several requests share, and who they are. */
import { GatewayError } from '@millrace/shared'

import { isCaptured } from '../debug/capture.ts'
import { addAnswerHeaders, STREAM_HEADERS } from './answer-headers.ts'
import type { AnswerSink } from './answer-sink.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import type { Flight } from './flight.ts'
import { Playback, type Listened } from './playback.ts'
import { Recording, type Kept } from './recording.ts'
import { refuse } from './refuse.ts'
import { sendRefusal } from './render-error.ts'

/** How far a client may be behind the fastest, in bytes, before it is let go. */
const MOST_BEHIND = 4 * 1_048_576

/** What is said anew of an answer that is given again. */
const OWN = ['age', 'etag']
const STREAM_EXCEPT = [...STREAM_HEADERS, ...OWN]

/** Who has an answer fetched for several. */
export interface Fetching {
  /** Whoever asks for the same from now on does not get it from here. */
  closed(answer: SharedAnswer): void
  /** It is there, whole. */
  complete(answer: SharedAnswer, flight: Flight): void
  /** Those who had only waited for it ask anew, for themselves. */
  again(waiting: readonly Exchange[]): void
}

export class SharedAnswer implements AnswerSink, Listened {
  readonly keepsUsage = true
  readonly recording: Recording
  /** How many purges there had been when it was asked for. */
  readonly purges: number
  /** Whether one whom it was given to is captured by an operator who debugs. */
  captured = false
  private readonly fetching: Fetching
  /** In the order in which they came. */
  private readonly listening: Playback[] = []
  private flight: Flight | null = null
  private paused = false
  private open = true

  /**
   * @param kept what all that are under way hold
   * @param purges how many there have been
   */
  constructor(fetching: Fetching, kept: Kept, purges: number) {
    this.fetching = fetching
    this.purges = purges
    this.recording = new Recording(kept)
  }

  /** Nobody waits any more, or there is nothing more to come. */
  get over(): boolean {
    return this.listening.length === 0 || this.recording.ended
  }

  /** @param flight brings it */
  carriedBy(flight: Flight): void {
    this.flight = flight
  }

  /** Gives the answer to one more. The first is charged with it. */
  join(exchange: Exchange): void {
    const playback = new Playback(exchange, this.recording, false, this)
    if (isCaptured(exchange)) this.captured = true
    exchange.flight = this.flight
    exchange.pays = this.listening.length === 0
    if (!exchange.pays) playback.wait()
    exchange.deliverBy(playback)
    this.listening.push(playback)
    playback.pump()
    if (this.paused && !playback.blocked) this.flow()
  }

  whole(attempt: Attempt, body: string): void {
    this.record(attempt, false)
    this.recording.add(body)
    this.finish(null)
  }

  begin(attempt: Attempt, stream: boolean): void {
    this.record(attempt, stream)
    this.recording.unread = !stream
  }

  /** Who listens begins with it when its playback does. */
  contentBegins(): void {}

  write(text: string): boolean {
    this.recording.add(text)
    return this.pass()
  }

  writeUsage(text: string): boolean {
    this.recording.add(text, true)
    return this.pass()
  }

  done(): void {
    this.recording.done = true
    for (const playback of this.listening) playback.pump()
  }

  end(text: string): void {
    this.recording.add(text)
    this.finish(null)
  }

  breakOff(failure: Failure): void {
    this.finish(failure)
  }

  refuse(failed: Attempt): void {
    const { refusal, errorClass, message } = failed.failure!
    this.close()
    for (const { exchange } of this.dismissed()) {
      exchange.fail('ERROR', errorClass, message)
      try {
        sendRefusal(exchange, refusal!)
      } catch (error) {
        refuse(exchange, error)
      }
    }
  }

  /** There is no answer. Who had only waited for it asks anew, once; the others are told. */
  fail(error: unknown): void {
    this.close()
    const again: Exchange[] = []
    for (const { exchange } of this.dismissed()) {
      if (exchange.pays || exchange.askedAnew || !isOthers(error)) refuse(exchange, error)
      else if (!exchange.over) again.push(exchange)
    }
    if (again.length > 0) this.fetching.again(again)
  }

  flowing(): void {
    if (this.paused) this.flow()
  }

  left(playback: Playback): void {
    // From the end: when all leave, the last does so first.
    const index = this.listening.lastIndexOf(playback)
    if (index < 0) return
    this.listening.splice(index, 1)
    const next = this.listening[0]
    if (next === undefined) {
      this.forget(playback.exchange.cutBy)
      return
    }
    if (this.recording.ended) return
    if (playback.exchange.pays) {
      playback.exchange.pays = false
      next.exchange.pays = true
    }
    if (this.paused && this.listening.some(isFlowing)) this.flow()
  }

  private record(attempt: Attempt, stream: boolean): void {
    const headers: string[] = []
    addAnswerHeaders(headers, attempt, stream ? STREAM_EXCEPT : OWN)
    this.recording.begin(attempt.upstreamStatus!, headers, stream)
  }

  /** What has come goes to all. @returns false if none of them takes more for now */
  private pass(): boolean {
    const { recording, listening } = this
    for (let i = listening.length - 1; i >= 0; i--) listening[i]!.pump()
    if (!recording.whole) this.trim()
    this.paused = !listening.some(isFlowing)
    return !this.paused
  }

  /** It is too long to be kept: what everybody has had is forgotten, and who is too far behind is let go. */
  private trim(): void {
    const { recording } = this
    this.close()
    let first = recording.length
    for (let i = this.listening.length - 1; i >= 0; i--) {
      const playback = this.listening[i]!
      if (recording.bytes - playback.passed > MOST_BEHIND && this.listening.some(isFlowing)) playback.drop()
      else first = Math.min(first, playback.next)
    }
    recording.forgetBefore(first)
  }

  private finish(failure: Failure | null): void {
    const { recording, listening } = this
    this.close()
    recording.end(failure)
    // Before the answers end: who then asks again finds it.
    if (failure === null) this.fetching.complete(this, this.flight!)
    for (let i = listening.length - 1; i >= 0; i--) listening[i]!.pump()
  }

  /** Nobody listens any more. @param cutBy why the last might not go on; null: it has gone by itself */
  private forget(cutBy: GatewayError | null): void {
    if (!this.recording.ended) {
      this.close()
      if (cutBy !== null) this.flight!.cut(cutBy.message)
      this.flight!.cancel()
    }
    this.recording.release()
  }

  private flow(): void {
    this.paused = false
    this.flight!.resume()
  }

  private close(): void {
    if (!this.open) return
    this.open = false
    this.fetching.closed(this)
  }

  /** Those who listen, who do so no more. */
  private dismissed(): Playback[] {
    this.recording.end(null)
    const dismissed = this.listening.splice(0)
    for (const playback of dismissed) playback.detach()
    this.recording.release()
    return dismissed
  }
}

function isFlowing({ blocked }: Playback): boolean {
  return !blocked
}

/** Whether what stood in the way of one request need not stand in that of another which is the same. */
function isOthers(error: unknown): boolean {
  return error instanceof GatewayError && error.code !== 'shutting_down'
}
