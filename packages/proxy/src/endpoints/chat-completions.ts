/** `POST /v1/chat/completions`: OpenAI's API reference, "Create chat completion". */
import { chatConversation, chatFeatures, chatUser, GatewayError } from '@millrace/shared'

import type { CanonicalRequest } from '../canonical/request.ts'
import { chatWriter } from '../dialects/chat/answer-write.ts'
import { readChatAnswer } from '../dialects/chat/answer.ts'
import { openAiErrors } from '../dialects/chat/errors.ts'
import { foldChatStream } from '../dialects/chat/fold.ts'
import { readChatRequest } from '../dialects/chat/request-read.ts'
import { ChatCompletionStream } from '../dialects/chat/stream.ts'
import { chatCallsTools } from '../dialects/chat/tools.ts'
import { unfoldChatAnswer } from '../dialects/chat/unfold.ts'
import { findMembers, replaceAll, type Edit } from '../stream/json.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { Endpoint, Features } from './endpoint.ts'
import { isCount, isObject, JsonCall, parseBody, type JsonObject } from './json-call.ts'
import { KnownCalls } from './known-calls.ts'

export const chatCompletions: Endpoint = {
  path: '/v1/chat/completions',
  task: 'chat',
  usesTokens: true,
  unkeyed: new Set(['user', 'metadata', 'stream', 'stream_options']),
  errors: openAiErrors,
  writer: chatWriter,
  parse: (body) => known.find(body) ?? new ChatCompletionCall(body),
  forget: () => known.clear(),
  fold: foldChatStream,
  unfold: unfoldChatAnswer,
  callsTools: chatCallsTools,
  reportsError: (body) => REPORTED_ERROR.test(body),
}

const known = new KnownCalls<ChatCompletionCall>()
/** As OpenRouter puts it into a choice. In a text the quotes would be escaped. */
const REPORTED_ERROR = /"finish_reason"\s*:\s*"error"|"error"\s*:\s*\{/

const STREAM_OPTIONS = new Set(['stream_options'])
const INCLUDE_USAGE = '"stream_options":{"include_usage":true}'

class ChatCompletionCall extends JsonCall {
  readonly includesUsage: boolean
  readonly maxOutputTokens: number | null
  readonly keepsState: boolean
  readonly user: string | null
  readonly conversation: string | null
  private readonly streamOptions: Record<string, unknown> | null

  constructor(body: Buffer) {
    const text = body.toString('latin1')
    const request = parseBody(body, text)
    super(body, text, request)
    const { messages, store, stream_options: streamOptions } = request
    if (!Array.isArray(messages) || messages.length === 0) {
      throw new GatewayError('messages_required', '"messages" has to be a list of at least one message.', {
        param: 'messages',
      })
    }
    this.maxOutputTokens = outputLimit(request)
    this.keepsState = store === true
    this.user = chatUser(request)
    this.conversation = chatConversation(request)
    this.streamOptions = isObject(streamOptions) ? streamOptions : null
    this.includesUsage = this.stream && this.streamOptions?.['include_usage'] === true
  }

  observe(keepUsage = false): StreamObserver {
    return new ChatCompletionStream(this.modelLiteral, this.addsUsage() && !keepUsage)
  }

  read(answer: string): ReadAnswer | InBandError | null {
    return readChatAnswer(answer, this.modelLiteral)
  }

  protected featuresOf(request: JsonObject): Features {
    return chatFeatures(request)
  }

  protected canonicalOf(request: JsonObject): CanonicalRequest {
    return readChatRequest(request)
  }

  protected keep(): boolean {
    return known.add(this)
  }

  protected override addEdits(edits: Edit[]): void {
    if (!this.addsUsage()) return
    const ranges = findMembers(this.text, STREAM_OPTIONS)?.get('stream_options')
    if (ranges) {
      const literal = Buffer.from(JSON.stringify({ ...this.streamOptions, include_usage: true })).toString('latin1')
      edits.push(...replaceAll(ranges, literal))
    } else {
      const start = this.text.indexOf('{') + 1
      edits.push({ start, end: start, literal: `${INCLUDE_USAGE},` })
    }
  }

  private addsUsage(): boolean {
    return this.stream && !this.includesUsage
  }
}

function outputLimit(request: JsonObject): number | null {
  const { max_completion_tokens: most, max_tokens: mostBefore, n } = request
  const each = isCount(most) ? most : isCount(mostBefore) ? mostBefore : null
  return each && Math.ceil(each * (isCount(n) ? Math.max(1, n) : 1))
}
