import type { Attributes, HrTime, Link, SpanContext, SpanKind, SpanStatus, TraceState } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'

import type { TraceContext } from './trace-context.ts'

type Origin = Pick<ReadableSpan, 'resource' | 'instrumentationScope'>

export interface SpanOptions {
  readonly name: string
  readonly kind: SpanKind
  readonly context: TraceContext
  readonly parent: TraceContext | null
  /** Whether that is a span of another process. */
  readonly remoteParent: boolean
  /** Milliseconds since the epoch, with fractions. */
  readonly begin: number
  readonly end: number
  readonly status: SpanStatus
  readonly attributes: Attributes
  readonly links: readonly TraceContext[]
}

/**
 * A span as exporters read it, made when all of it is known. The SDK's own, which are there from the beginning and are
 * changed with each attribute, cost a multiple.
 */
export class FinishedSpan implements ReadableSpan {
  readonly name: string
  readonly kind: SpanKind
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly duration: HrTime
  readonly status: SpanStatus
  readonly attributes: Attributes
  readonly links: Link[]
  readonly events = []
  readonly ended = true
  readonly droppedAttributesCount = 0
  readonly droppedEventsCount = 0
  readonly droppedLinksCount = 0
  readonly resource: ReadableSpan['resource']
  readonly instrumentationScope: ReadableSpan['instrumentationScope']
  readonly parentSpanContext?: SpanContext
  private readonly context: SpanContext

  constructor(options: SpanOptions, { resource, instrumentationScope }: Origin) {
    const { begin, end, parent } = options
    this.name = options.name
    this.kind = options.kind
    this.startTime = hrTime(begin)
    this.endTime = hrTime(Math.max(begin, end))
    this.duration = hrTime(Math.max(0, end - begin))
    this.status = options.status
    this.attributes = options.attributes
    this.links = options.links.map(linkTo)
    this.resource = resource
    this.instrumentationScope = instrumentationScope
    this.context = spanContext(options.context, false)
    if (parent !== null) this.parentSpanContext = spanContext(parent, options.remoteParent)
  }

  spanContext(): SpanContext {
    return this.context
  }
}

function linkTo(context: TraceContext): Link {
  return { context: spanContext(context, false) }
}

function spanContext({ traceId, spanId, sampled, state }: TraceContext, isRemote: boolean): SpanContext {
  const context = { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote }
  return state === '' ? context : { ...context, traceState: new ReceivedState(state) }
}

/** Other systems' entries, as they came: nothing here looks for one, or changes any. */
class ReceivedState implements TraceState {
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  serialize(): string {
    return this.text
  }

  get(): undefined {
    return undefined
  }

  set(): TraceState {
    return this
  }

  unset(): TraceState {
    return this
  }
}

/** Seconds and nanoseconds. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000)
  return [seconds, Math.min(999_999_999, Math.round((milliseconds - seconds * 1_000) * 1e6))]
}
