/**
 * Traces as OpenTelemetry has them. Loaded only where they are wanted (see open.ts): while they are not, requests pay for one
 * comparison with null, and a client's trace context passes as it came.
 */
import type { IncomingHttpHeaders } from 'node:http'

import type { ReadableSpan } from '@opentelemetry/sdk-trace'

import { attemptsOf } from '../request/account.ts'
import type { Exchange } from '../request/exchange.ts'
import type { SpanQueue } from './export.ts'
import { FinishedSpan } from './finished-span.ts'
import { RequestTrace } from './request-trace.ts'
import type { Sampling } from './sampling.ts'
import { attemptSpan, requestSpan } from './spans.ts'

export class Tracing {
  readonly sampling: Sampling
  private readonly queue: SpanQueue
  private readonly origin: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>

  constructor(sampling: Sampling, queue: SpanQueue, origin: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>) {
    this.sampling = sampling
    this.queue = queue
    this.origin = origin
  }

  /** Spans that the collector will never get, since the process started. */
  get dropped(): number {
    return this.queue.dropped
  }

  begin(headers: IncomingHttpHeaders): RequestTrace {
    return new RequestTrace(this, headers)
  }

  /** A request that has ended, and the attempts that are on its account. */
  tell(exchange: Exchange, trace: RequestTrace): void {
    // They may have been made in another's name, whose trace is kept where this request's is not.
    for (const attempt of attemptsOf(exchange)) {
      const { trace: context } = attempt
      if (context !== null && context.sampled && this.queue.hasRoom())
        this.queue.add(new FinishedSpan(attemptSpan(attempt, context), this.origin))
    }
    if (trace.context.sampled && this.queue.hasRoom())
      this.queue.add(new FinishedSpan(requestSpan(exchange, trace), this.origin))
  }

  /** Sends what waits, as far as that does not take too long. */
  stop(): Promise<void> {
    return this.queue.stop()
  }
}
