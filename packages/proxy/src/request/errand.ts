/** What a provider is asked for in a request's name: how that is put, and who takes the answer. */
import type { Endpoint } from '../endpoints/endpoint.ts'
import type { Connection, Target } from '../providers/provider.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'
import type { Attempt } from './attempt.ts'
import { addForwardedHeaders } from './client-headers.ts'
import { AnswerRelay } from './relay-answer.ts'
import { RefusalRelay } from './relay-refusal.ts'
import { StreamRelay } from './relay-stream.ts'
import type { Relay } from './relay.ts'

/** One form of request. */
export interface Errand {
  /** As HTTP names it. */
  readonly method: string
  /** Whether what it asks for uses tokens. */
  readonly usesTokens: boolean
  /** @param model the provider's own name of it */
  targetAt(connection: Connection, model: string): Target
  /** Adds the headers that a provider gets beside its key. */
  addHeaders(list: string[], attempt: Attempt): void
  /** Null: it has none. */
  bodyOf(attempt: Attempt): Buffer | null
  /** An answer has begun: its status and headers are the attempt's. @returns null if the attempt has failed by them */
  relayOf(attempt: Attempt): Relay | null
}

/** What is sent is JSON whatever the client called it, and what comes back must be readable here. */
const BODY_HEADERS = ['content-type', 'application/json', 'accept-encoding', 'identity']

/** An endpoint whose bodies are understood. */
export class JsonErrand implements Errand {
  readonly method = 'POST'
  readonly usesTokens = true
  private readonly upstreamPath: string

  constructor({ upstreamPath }: Endpoint) {
    this.upstreamPath = upstreamPath
  }

  targetAt({ targets }: Connection): Target {
    return targets.of(this.upstreamPath)
  }

  addHeaders(list: string[], { exchange }: Attempt): void {
    list.push(...BODY_HEADERS)
    addForwardedHeaders(list, exchange.req.headers)
  }

  bodyOf({ call, model }: Attempt): Buffer {
    return call.encode(model)
  }

  relayOf(attempt: Attempt): Relay | null {
    const { call, upstreamHeaders } = attempt
    const type = attempt.contentType ?? ''
    if (attempt.upstreamStatus! >= 300) return new RefusalRelay(attempt)
    if (!isPlain(upstreamHeaders)) {
      attempt.fail('upstream_invalid', 'the answer is compressed, though that was not asked for')
      return null
    }
    if (!call.stream && !type.includes('event-stream')) return new AnswerRelay(attempt)
    if (call.stream && !/json|html/.test(type)) return new StreamRelay(attempt)
    attempt.fail('upstream_invalid', `the answer is ${type}, which was not asked for`)
    return null
  }
}

function isPlain(headers: UpstreamHeaders): boolean {
  const encoding = headers['content-encoding']
  return encoding === undefined || encoding === '' || encoding === 'identity'
}
