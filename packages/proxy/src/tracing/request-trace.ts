import type { IncomingHttpHeaders } from 'node:http'

import type { Exchange } from '../request/exchange.ts'
import { childOf, newSpanId, newTraceId, parentOf, propagate, type TraceContext } from './trace-context.ts'
import type { Tracing } from './tracing.ts'

/** A request's place in its trace. */
export class RequestTrace {
  /** Its sender's span; null: the trace begins here. */
  readonly parent: TraceContext | null
  readonly context: TraceContext
  private readonly tracing: Tracing

  constructor(tracing: Tracing, headers: IncomingHttpHeaders) {
    const parent = parentOf(headers)
    const traceId = parent?.traceId ?? newTraceId()
    this.tracing = tracing
    this.parent = parent
    this.context = {
      traceId,
      spanId: newSpanId(),
      sampled: tracing.sampling.keeps(traceId, parent),
      state: parent?.state ?? '',
    }
  }

  /** Begins the span of a provider's being asked. @param headers of what is sent to it: told of the span */
  ask(headers: string[]): TraceContext {
    const context = childOf(this.context)
    propagate(context, headers)
    return context
  }

  /** Called once, when all is over. */
  finished(exchange: Exchange): void {
    this.tracing.tell(exchange, this)
  }
}
