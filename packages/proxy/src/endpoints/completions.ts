/** `POST /v1/completions`: OpenAI's API reference, "Create completion". */
import { chatConversation, chatUser } from '@millrace/shared'

import type { CanonicalRequest } from '../canonical/request.ts'
import type { JsonObject } from '../canonical/values.ts'
import { openAiErrors } from '../dialects/chat/errors.ts'
import { completionsWriter } from '../dialects/completions/answer-write.ts'
import { foldCompletionStream } from '../dialects/completions/fold.ts'
import { readCompletionRequest } from '../dialects/completions/request-read.ts'
import { unfoldCompletion } from '../dialects/completions/unfold.ts'
import { REPORTED_ERROR } from './chat-completions.ts'
import type { Endpoint, Features } from './endpoint.ts'
import { isCount, parseBody } from './json-call.ts'
import { KnownCalls } from './known-calls.ts'
import { outputLimit, UsageCall } from './usage-call.ts'

export const completions: Endpoint = {
  path: '/v1/completions',
  task: 'chat',
  usesTokens: true,
  unkeyed: new Set(['user', 'metadata', 'stream', 'stream_options']),
  errors: openAiErrors,
  writer: completionsWriter,
  parse: (body) => known.find(body) ?? new CompletionCall(body),
  forget: () => known.clear(),
  fold: foldCompletionStream,
  unfold: unfoldCompletion,
  callsTools: () => false,
  reportsError: (body) => REPORTED_ERROR.test(body),
}

const known = new KnownCalls<CompletionCall>()

class CompletionCall extends UsageCall {
  readonly maxOutputTokens: number | null
  readonly keepsState = false
  readonly user: string | null
  readonly conversation: string | null

  constructor(body: Buffer) {
    const text = body.toString('latin1')
    const request = parseBody(body, text)
    super(body, text, request)
    const { max_tokens: most, n, best_of: best, prompt } = request
    const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(1, prompt.length) : 1
    const answers = Math.max(isCount(n) ? n : 1, isCount(best) ? best : 1) * prompts
    this.maxOutputTokens = outputLimit(isCount(most) ? most : null, answers)
    this.user = chatUser(request)
    this.conversation = chatConversation(request)
  }

  protected featuresOf({ max_tokens: most }: JsonObject): Features {
    return { maxTokens: typeof most === 'number' ? most : null, tools: false, images: false }
  }

  protected canonicalOf(request: JsonObject): CanonicalRequest {
    return readCompletionRequest(request)
  }

  protected keep(): boolean {
    return known.add(this)
  }
}
