import type { IncomingHttpHeaders } from 'node:http'

import type { CanonicalAnswer, ProviderError } from '../canonical/answer.ts'
import { unlessTooDeep } from '../canonical/problem.ts'
import type { Encoded, Wire } from '../canonical/wire.ts'
import type { Saying } from '../canonical/writer.ts'
import type { Endpoint } from '../endpoints/endpoint.ts'
import type { Target, Targets } from '../providers/provider.ts'
import { addForwardedHeaders } from '../request/client-headers.ts'
import { latin1FromUtf8, utf8FromLatin1 } from '../stream/json.ts'
import type { InBandError, ReadAnswer } from '../stream/observed.ts'
import type { Splitter } from '../stream/splitter.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'
import { answerOfTool } from './answer-tool.ts'
import { toldError } from './told-error.ts'
import { TranslatedStream } from './translated-stream.ts'
import type { Asking, ToldRefusal, Translation } from './translation.ts'
import { addMissing } from './untouched.ts'

/** What a provider is like that is asked in its own words. */
export interface SpokenTo {
  readonly wire: Wire
  /** That its API wants unless the client has them, names and values in turn. */
  readonly headers: readonly string[]
  splitter(): Splitter
}

/** The provider speaks another API than the client: each request and answer goes through the canonical form. */
export class Translated implements Translation {
  readonly upstream = null
  readonly passes = false
  private readonly endpoint: Endpoint
  private readonly provider: SpokenTo

  constructor(endpoint: Endpoint, provider: SpokenTo) {
    this.endpoint = endpoint
    this.provider = provider
  }

  targetAt(targets: Targets, model: string, stream: boolean): Target {
    const path = this.provider.wire.pathOf(model, stream)
    const query = path.indexOf('?')
    return query < 0 ? targets.once(path, '') : targets.once(path.slice(0, query), path.slice(query))
  }

  addHeaders(list: string[], client: IncomingHttpHeaders): void {
    const forwarded: string[] = []
    addForwardedHeaders(forwarded, client)
    for (let i = 0; i < forwarded.length; i += 2) {
      if (!OF_AN_API.test(forwarded[i]!)) list.push(forwarded[i]!, forwarded[i + 1]!)
    }
    addMissing(list, this.provider.headers, {})
  }

  encode(asking: Asking): Buffer {
    // The body is not kept for as long as the answer's stream goes on.
    const { body, ...encoding } = this.inWords(asking)
    asking.encoding = encoding
    asking.dropped = encoding.dropped
    return Buffer.from(body)
  }

  private inWords(asking: Asking): Encoded {
    const { call, model } = asking
    return unlessTooDeep('messages', () => {
      asking.request = call.canonical()
      return this.provider.wire.encode(asking.request, { model, stream: call.stream })
    })
  }

  splitter(): Splitter {
    return this.provider.splitter()
  }

  observe(asking: Asking, keepUsage: boolean): TranslatedStream {
    const { call, encoding } = asking
    const writer = this.endpoint.writer.stream(sayingOf(asking, keepUsage || call.includesUsage))
    asking.request = null
    return new TranslatedStream(this.provider.wire.reader(encoding!), writer, encoding!.answerTool)
  }

  read(asking: Asking, text: string, headers: UpstreamHeaders): ReadAnswer | InBandError | null {
    try {
      return this.readWhole(asking, text, headers)
    } catch (error) {
      // Nested too deep: it is not what was promised.
      if (error instanceof RangeError) return null
      throw error
    }
  }

  private readWhole(asking: Asking, text: string, headers: UpstreamHeaders): ReadAnswer | InBandError | null {
    const { wire } = this.provider
    const parsed = parse(utf8FromLatin1(text), wire.parse)
    const read = parsed === undefined ? null : wire.read(parsed, asking.encoding!, headers)
    if (read === null) return null
    if (read.kind === 'error') return read.error
    const answer = answerOfTool(read, asking.encoding!.answerTool)
    const body = this.endpoint.writer.answer(answer, sayingOf(asking, true))
    return {
      body: latin1FromUtf8(body),
      usage: answer.kind === 'count' ? null : answer.usage,
      contentLength: contentLength(answer),
    }
  }

  errorOf(status: number, body: Buffer, headers: UpstreamHeaders): ProviderError {
    const text = body.toString('utf8')
    return this.provider.wire.readError(status, parse(text) ?? text.slice(0, LONGEST_TEXT), headers)
  }

  refusal(asking: Asking, status: number, headers: UpstreamHeaders, error: ProviderError): ToldRefusal {
    const body = this.endpoint.errors.body(toldError(status, error), asking.requestId)
    return { body: Buffer.from(body), headers: this.answerHeaders(headers, false) }
  }

  answerHeaders(headers: UpstreamHeaders, stream: boolean): UpstreamHeaders {
    const shown: UpstreamHeaders = {}
    for (const name in headers) if (!OF_A_BODY.has(name)) shown[name] = headers[name]
    shown['content-type'] = stream ? 'text/event-stream; charset=utf-8' : 'application/json'
    return shown
  }
}

/** Of what an upstream says that is no JSON: a page of HTML says enough at its beginning. */
const LONGEST_TEXT = 2_000

/** Headers by which clients of one API speak of it, and of their SDK for it. */
const OF_AN_API = /^(?:anthropic-|openai-|x-stainless-|x-goog-|x-amz-|x-amzn-)/

/** What tells of a body's own bytes. */
const OF_A_BODY: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-md5',
  'content-digest',
  'digest',
  'etag',
  'last-modified',
  'accept-ranges',
  'vary',
])

function sayingOf({ call, id, created, request }: Asking, usageWanted: boolean): Saying {
  return { model: call.model, id, created, request: request!, usageWanted }
}

function contentLength(answer: CanonicalAnswer): number {
  if (answer.kind !== 'chat') return 0
  let length = 0
  for (const { content } of answer.choices) {
    for (const part of content) {
      if ('text' in part) length += part.text.length
      else if (part.type === 'tool_call') length += part.name.length + part.arguments.length
    }
  }
  return length
}

function parse(text: string, parseAnswer: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parseAnswer(text)
  } catch {
    return undefined
  }
}
