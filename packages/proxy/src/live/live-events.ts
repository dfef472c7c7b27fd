import { MAX_LIVE_BATCH, newId, REPORT_LIVE_MUTATION, type LiveEvent, type LiveEventKind } from '@millrace/shared'

import type { ControlClient } from '../control/client.ts'
import type { Exchange } from '../request/exchange.ts'
import { inFlightOf } from './in-flight.ts'

/** Events gather for so long. */
const GATHER_MS = 25
/** Batches that wait while one is being sent; of more, the oldest is dropped. */
const MOST_BATCHES = 10
/** A call that takes longer is given up: what it tells is of no use by then. */
const CALL_MS = 2_000

const BEFORE = `{"query":${JSON.stringify(REPORT_LIVE_MUTATION)},"variables":{"events":[`
const AFTER = ']}}'

interface Happened {
  readonly kind: LiveEventKind
  readonly at: number
  readonly exchange: Exchange
}

/**
 * What is told of requests while they are served, as long as anybody wants to hear it. Never told again, nor kept for later:
 * what can't be told at once is dropped, and counted.
 */
export class LiveEvents {
  /** Asked before each call of the others: while nobody listens, requests pay for no more than this. */
  wanted = false
  /** Events that were never told, since the process started. */
  dropped = 0
  private readonly control: Pick<ControlClient, 'send'>
  /** Of this turn of the event loop. */
  private readonly happened: Happened[] = []
  /** Events in JSON. */
  private readonly batches: string[][] = []
  private timer: NodeJS.Timeout | null = null
  private sending: Promise<void> | null = null

  constructor(control: Pick<ControlClient, 'send'>) {
    this.control = control
  }

  /** A request is let in, and goes on to its answer. */
  started(exchange: Exchange): void {
    this.add('STARTED', exchange)
  }

  /** A stream's client begins to get content. Called once a request. */
  firstToken(exchange: Exchange): void {
    this.add('FIRST_TOKEN', exchange)
  }

  /** Tells what has happened until now, so that what is told next comes after it. Never rejects. */
  flush(): Promise<void> {
    this.write()
    return this.sendNow()
  }

  /** @internal what has happened in the turn before is written down, out of the requests' way */
  write(): void {
    const { happened } = this
    if (happened.length === 0) return
    for (const one of happened) this.put(one)
    happened.length = 0
    this.timer ??= setTimeout(sendSoon, GATHER_MS, this).unref()
  }

  /** @internal */
  due(): void {
    this.timer = null
    // What gathers while a call is under way goes with the next.
    if (this.sending === null) void this.sendNow()
    else this.timer = setTimeout(sendSoon, GATHER_MS, this).unref()
  }

  private add(kind: LiveEventKind, exchange: Exchange): void {
    if (this.happened.length === 0) setImmediate(write, this)
    this.happened.push({ kind, at: Date.now(), exchange })
  }

  private put({ kind, at, exchange }: Happened): void {
    const event: LiveEvent = { id: newId(), kind, at: new Date(at).toISOString(), request: inFlightOf(exchange) }
    let batch = this.batches.at(-1)
    if (batch === undefined || batch.length === MAX_LIVE_BATCH) {
      if (this.batches.length === MOST_BATCHES) this.dropped += this.batches.shift()!.length
      batch = []
      this.batches.push(batch)
    }
    batch.push(JSON.stringify(event))
  }

  /** Resolves when all that waits now has been told, or dropped. */
  private async sendNow(): Promise<void> {
    if (this.sending !== null) await this.sending
    if (this.batches.length === 0) return
    this.sending ??= this.send()
    await this.sending
  }

  private async send(): Promise<void> {
    for (const batch of this.batches.splice(0)) {
      try {
        await this.control.send(BEFORE + batch.join(',') + AFTER, AbortSignal.timeout(CALL_MS))
      } catch {
        this.dropped += batch.length
      }
    }
    this.sending = null
  }
}

function write(events: LiveEvents): void {
  events.write()
}

function sendSoon(events: LiveEvents): void {
  events.due()
}
