/** What a provider is asked for in a request's name: how that is put, and who takes the answer. */
import { GatewayError } from '@millrace/shared'

import type { Endpoint } from '../endpoints/endpoint.ts'
import type { Connection, Target } from '../providers/provider.ts'
import type { Translation } from '../translation/translation.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'
import type { AnyBody } from '../upstream/upstream.ts'
import type { Attempt } from './attempt.ts'
import { AnswerRelay } from './relay-answer.ts'
import { RefusalRelay } from './relay-refusal.ts'
import { StreamRelay } from './relay-stream.ts'
import { UnaskedRelay } from './relay-unasked.ts'
import type { Relay } from './relay.ts'

/** One form of request. */
export interface Errand {
  /** As HTTP names it. */
  readonly method: string
  /** Whether what it asks for uses tokens. */
  readonly usesTokens: boolean
  /** @param model the provider's own name of it @returns null: what it asks for is not read here */
  translationAt(connection: Connection, model: string): Translation | null
  /** @param model the provider's own name of it */
  targetAt(connection: Connection, model: string, translation: Translation | null, stream: boolean): Target
  /** Adds the headers that a provider gets beside its key. */
  addHeaders(list: string[], attempt: Attempt): void
  /** Null: it has none. */
  bodyOf(attempt: Attempt): AnyBody
  /** Whether a body that is sent as it comes has yet to come from its client. */
  readonly awaitsClient?: boolean
  /** An answer has begun: its status and headers are the attempt's. @returns null if the attempt has failed by them */
  relayOf(attempt: Attempt): Relay | null
}

/** What is sent is JSON whatever the client called it, and what comes back must be readable here. */
const BODY_HEADERS = ['content-type', 'application/json', 'accept-encoding', 'identity']

/** An endpoint whose bodies are understood. */
export class JsonErrand implements Errand {
  readonly method = 'POST'
  private readonly endpoint: Endpoint

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
  }

  get usesTokens(): boolean {
    return this.endpoint.usesTokens
  }

  translationAt({ translations }: Connection, model: string): Translation {
    return translations.of(this.endpoint, model)
  }

  targetAt({ targets }: Connection, model: string, translation: Translation, stream: boolean): Target {
    return translation.targetAt(targets, model, stream)
  }

  addHeaders(list: string[], { exchange, translation }: Attempt): void {
    list.push(...BODY_HEADERS)
    translation!.addHeaders(list, exchange.req.headers)
  }

  bodyOf(attempt: Attempt): Buffer {
    const body = attempt.translation!.encode(attempt.asked)
    const [dropped] = attempt.asked.dropped
    if (dropped !== undefined && attempt.flight.found.alias.unknownParameters === 'REFUSE') {
      const { name } = attempt.route.provider
      throw new GatewayError('param_not_allowed', `The provider ${name} does not know the parameter "${dropped}".`, {
        param: dropped,
      })
    }
    return body
  }

  relayOf(attempt: Attempt): Relay | null {
    const { call, upstreamHeaders } = attempt
    const translation = attempt.translation!
    const type = attempt.contentType ?? ''
    if (attempt.upstreamStatus! >= 300) return new RefusalRelay(attempt)
    if (!isPlain(upstreamHeaders)) {
      attempt.fail('upstream_invalid', 'the answer is compressed, though that was not asked for')
      return null
    }
    if (!call.stream && !type.includes('event-stream') && !type.includes('eventstream')) {
      attempt.answerHeaders = translation.answerHeaders(upstreamHeaders, false)
      return new AnswerRelay(attempt, translation)
    }
    if (call.stream && !/json|html/.test(type)) {
      attempt.answerHeaders = translation.answerHeaders(upstreamHeaders, true)
      return new StreamRelay(attempt, translation)
    }
    if (call.stream && type.includes('json')) return new UnaskedRelay(attempt)
    attempt.fail('upstream_invalid', `the answer is ${type}, which was not asked for`)
    return null
  }
}

function isPlain(headers: UpstreamHeaders): boolean {
  const encoding = headers['content-encoding']
  return encoding === undefined || encoding === '' || encoding === 'identity'
}
