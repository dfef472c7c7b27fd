/** What calls of Anthropic's Messages API and of its counting of tokens have in common. */
import { messagesConversation, messagesFeatures, messagesUser } from '@millrace/shared'

import { parseExact } from '../canonical/exact-json.ts'
import { unlessTooDeep } from '../canonical/problem.ts'
import type { CanonicalRequest } from '../canonical/request.ts'
import { withoutThoughts } from '../canonical/turn.ts'
import type { JsonObject } from '../canonical/values.ts'
import { BLOCK_KINDS } from '../dialects/messages/block-kinds.ts'
import { mayHoldForeign, withoutForeign } from '../dialects/messages/native-body.ts'
import { asksForBudget, breaksOffThought, thinkingOff } from '../dialects/messages/native-thinking.ts'
import { readMessagesRequest } from '../dialects/messages/request-read.ts'
import { utf8FromLatin1, type Edit } from '../stream/json.ts'
import type { Features } from './endpoint.ts'
import { addForeignEdits } from './foreign.ts'
import { isCount, JsonCall, parseBody, requireMessages } from './json-call.ts'

export abstract class AnthropicCall extends JsonCall {
  readonly includesUsage = true
  readonly maxOutputTokens: number | null
  readonly keepsState: boolean
  readonly user: string | null
  readonly conversation: string | null

  /** @throws GatewayError invalid_json, model_required, messages_required */
  constructor(body: Buffer) {
    const text = body.toString('latin1')
    const request = parseBody(body, text)
    super(body, text, request)
    const { container, max_tokens: most } = request
    requireMessages(request)
    this.maxOutputTokens = isCount(most) ? Math.ceil(most) : null
    this.keepsState = container !== undefined && container !== null
    this.user = messagesUser(request)
    this.conversation = messagesConversation(this.user)
  }

  protected featuresOf(request: JsonObject): Features {
    return messagesFeatures(request)
  }

  protected canonicalOf(): CanonicalRequest {
    return unlessTooDeep('messages', () => readMessagesRequest(parseExact(utf8FromLatin1(this.text)) as JsonObject))
  }

  protected override addEdits(edits: Edit[], providerModel: string, dropped: string[]): void {
    const { text } = this
    if (!mayHoldForeign(text)) return
    addForeignEdits(edits, text, 'messages', (messages) => {
      const kept = withoutForeign(messages)
      if (kept === null || !breaksOffThought(messages, kept) || !asksForBudget(text, providerModel)) return kept
      edits.push(...thinkingOff(text))
      dropped.push('thinking')
      return withoutThoughts(kept, BLOCK_KINDS)
    })
  }
}
