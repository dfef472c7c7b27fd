/** `POST /v1/chat/completions`: OpenAI's API reference, "Create chat completion". */
import { chatConversation, chatFeatures, chatUser } from '@millrace/shared'

import type { CanonicalRequest } from '../canonical/request.ts'
import { mayHoldSealed } from '../canonical/signature.ts'
import type { JsonObject } from '../canonical/values.ts'
import { chatWriter } from '../dialects/chat/answer-write.ts'
import { openAiErrors } from '../dialects/chat/errors.ts'
import { foldChatStream } from '../dialects/chat/fold.ts'
import { withoutForeignThoughts } from '../dialects/chat/native-body.ts'
import { readChatRequest } from '../dialects/chat/request-read.ts'
import { chatCallsTools } from '../dialects/chat/tools.ts'
import { unfoldChatAnswer } from '../dialects/chat/unfold.ts'
import type { Edit } from '../stream/json.ts'
import type { Endpoint, Features } from './endpoint.ts'
import { addForeignEdits } from './foreign.ts'
import { isCount, parseBody, requireMessages } from './json-call.ts'
import { KnownCalls } from './known-calls.ts'
import { outputLimit, UsageCall } from './usage-call.ts'

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
export const REPORTED_ERROR = /"finish_reason"\s*:\s*"error"|"error"\s*:\s*\{/

class ChatCompletionCall extends UsageCall {
  readonly maxOutputTokens: number | null
  readonly keepsState: boolean
  readonly user: string | null
  readonly conversation: string | null

  constructor(body: Buffer) {
    const text = body.toString('latin1')
    const request = parseBody(body, text)
    super(body, text, request)
    const { store, n, max_completion_tokens: most, max_tokens: mostBefore } = request
    requireMessages(request)
    this.maxOutputTokens = outputLimit(isCount(most) ? most : isCount(mostBefore) ? mostBefore : null, n)
    this.keepsState = store === true
    this.user = chatUser(request)
    this.conversation = chatConversation(request)
  }

  protected featuresOf(request: JsonObject): Features {
    return chatFeatures(request)
  }

  protected canonicalOf(request: JsonObject): CanonicalRequest {
    return readChatRequest(request)
  }

  protected override addEdits(edits: Edit[]): void {
    super.addEdits(edits)
    if (mayHoldSealed(this.text)) addForeignEdits(edits, this.text, 'messages', withoutForeignThoughts)
  }

  protected keep(): boolean {
    return known.add(this)
  }
}
