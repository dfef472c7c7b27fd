/** Sends captured exchanges to the control plane, one call at a time and never in the way of records. */
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'

import { MAX_DEBUG_BATCH, STORE_DEBUG_EXCHANGES_MUTATION } from '@millrace/shared'
import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'
import type { ControlClient } from '../control/client.ts'
import type { Caught, Taker } from './capture.ts'
import type { Held } from './kept.ts'
import { rendered } from './render.ts'

/** Between two calls: what ends meanwhile goes together. */
const GATHER_MS = 100
/** An operator looks at what is now: so long it is tried to have a batch stored. */
const TRY_FOR_MS = 120_000
/** Of a call's JSON; one exchange may have more. Far less than control takes, since it stores records in between. */
const BATCH_LENGTH = 1_048_576

/** Exchanges on their way. */
interface Batch {
  /** Each as JSON. */
  readonly exchanges: readonly string[]
  /** What they take of {@link Held}. */
  readonly held: number
}

export class ExchangeSender implements Taker {
  readonly held: Held = { bytes: 0 }
  /** Exchanges that are lost, since the process started. */
  dropped = 0
  private readonly control: Pick<ControlClient, 'send'>
  private readonly log: Logger
  private waiting: Caught[] = []
  private running: Promise<void> | null = null
  private readonly stopping = new AbortController()
  /** Ends the call under way, too. */
  private readonly cutOff = new AbortController()
  /** Whether the log has it that some are lost. */
  private complained = false

  constructor(control: Pick<ControlClient, 'send'>, log: Logger) {
    this.control = control
    this.log = log
  }

  /** There is another capture: of this one too, it is said once if some are lost. */
  begin(): void {
    this.complained = false
  }

  take(caught: Caught | null): void {
    if (caught === null) {
      this.lose(1, 'there is no more room for them')
      return
    }
    this.waiting.push(caught)
    this.running ??= this.run()
  }

  /** Sends what there is. What can't be sent within that time is lost. */
  async finish(withinMs: number): Promise<void> {
    this.stopping.abort()
    const timer = setTimeout(() => this.cutOff.abort(), withinMs)
    await this.running
    clearTimeout(timer)
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      await delay(GATHER_MS, undefined, { signal: this.stopping.signal }).catch(() => {})
      const batch = await this.nextBatch()
      await this.deliver(batch)
      this.held.bytes -= batch.held
    }
    this.running = null
  }

  /** One an event loop's turn: to look for secrets takes a millisecond for each 100 KB. */
  private async nextBatch(): Promise<Batch> {
    const exchanges: string[] = []
    let length = 0
    let held = 0
    while (this.waiting.length > 0 && exchanges.length < MAX_DEBUG_BATCH && length < BATCH_LENGTH) {
      await turn()
      const caught = this.waiting.shift()!
      held += caught.held
      try {
        const json = JSON.stringify(rendered(caught))
        length += json.length
        exchanges.push(json)
      } catch (error) {
        this.lose(1, (error as Error).message)
      }
    }
    return { exchanges, held }
  }

  private async deliver({ exchanges }: Batch): Promise<void> {
    const variables = `{"exchanges":[${exchanges.join()}]}`
    const operation = `{"query":${JSON.stringify(STORE_DEBUG_EXCHANGES_MUTATION)},"variables":${variables}}`
    const backoff = new Backoff(250, 4_000)
    const until = performance.now() + TRY_FOR_MS
    for (;;) {
      try {
        const { storeDebugExchanges: taken } = await this.control.send<{ storeDebugExchanges: number }>(
          operation,
          this.cutOff.signal,
        )
        if (taken < exchanges.length) this.lose(exchanges.length - taken, 'the control plane did not take them')
        return
      } catch (error) {
        if (this.cutOff.signal.aborted || performance.now() > until) {
          this.lose(exchanges.length, (error as Error).message)
          return
        }
      }
      await delay(backoff.next(), undefined, { signal: this.cutOff.signal }).catch(() => {})
    }
  }

  private lose(count: number, reason: string): void {
    this.dropped += count
    if (!this.complained) this.log.warn({ lost: count }, `exchanges of a debug capture are lost: ${reason}`)
    this.complained = true
  }
}
