/** How spans come to the collector: in batches, from a queue that has an end, and never at a request's expense. */
import { setTimeout as delay } from 'node:timers/promises'

import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'

type Callback = Parameters<SpanExporter['export']>[1]

/** Spans that may wait, those on their way among them: some 2 KB each. */
const MOST_QUEUED = 4_096
/** Putting so many into words holds up requests for a millisecond or two. */
const MOST_PER_BATCH = 128
const DELAY_MS = 1_000
/** Those that go at once: one, but at the end all that wait, and what was on its way. */
export const MOST_EXPORTS = MOST_QUEUED / MOST_PER_BATCH + 1
/** What a collector is given to take the last ones. */
const STOP_MS = 3_000
/** As the SDK's `ExportResultCode` has it, which it does not export. */
const SUCCESS = 0

export class SpanQueue implements SpanExporter {
  /** Spans that will never be sent: there was no room, or the collector has not taken them. */
  dropped = 0
  private waiting = 0
  private failing = false
  private readonly exporter: SpanExporter
  private readonly processor: BatchSpanProcessor
  private readonly log: Logger

  constructor(exporter: SpanExporter, log: Logger) {
    this.exporter = exporter
    this.log = log
    this.processor = new BatchSpanProcessor({
      exporter: this,
      maxQueueSize: MOST_QUEUED,
      maxExportBatchSize: MOST_PER_BATCH,
      scheduledDelayMillis: DELAY_MS,
    })
  }

  /** Asked before a span is made: one for which there is no room is dropped by this. */
  hasRoom(): boolean {
    if (this.waiting < MOST_QUEUED) return true
    this.dropped++
    this.warn('more spans wait for the collector than can')
    return false
  }

  add(span: ReadableSpan): void {
    this.waiting++
    this.processor.onEnd(span)
  }

  /** Called by the processor. What fails is this queue's to say, so that it is said once. */
  export(spans: ReadableSpan[], told: Callback): void {
    this.exporter.export(spans, (result) => {
      this.waiting -= spans.length
      if ((result.code as number) === SUCCESS) this.succeeded()
      else this.failed(spans.length, result.error)
      told({ code: SUCCESS })
    })
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown()
  }

  /** Sends what waits, as far as that does not take too long. */
  async stop(): Promise<void> {
    const over = new AbortController()
    const late = delay(STOP_MS, undefined, { signal: over.signal }).catch(() => {})
    await Promise.race([this.processor.shutdown().catch(() => {}), late])
    over.abort()
    if (this.waiting > 0) this.log.warn({ lost: this.waiting }, 'spans could not be sent before the end')
  }

  private succeeded(): void {
    if (this.failing) this.log.info('spans are being taken again')
    this.failing = false
  }

  private failed(count: number, error: Error | undefined): void {
    this.dropped += count
    this.warn(`spans are not taken: ${reasonOf(error)}`)
  }

  /** Once, until some are taken again. */
  private warn(message: string): void {
    if (!this.failing) this.log.warn(`${message}; they are dropped, and counted, until it takes them again`)
    this.failing = true
  }
}

/** Of a connection to a name with several addresses, the code alone says anything. */
function reasonOf(error: Error | undefined): string {
  const { message, code, name } = (error ?? {}) as { message?: string; code?: string; name?: string }
  return (message || (code ?? name ?? 'no reason given')).slice(0, 300)
}
