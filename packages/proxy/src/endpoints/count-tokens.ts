/** `POST /v1/messages/count_tokens`: Anthropic's API reference, "Count tokens in a Message". */
import { messagesWriter } from '../dialects/messages/answer-write.ts'
import { readCountBytes } from '../dialects/messages/answer.ts'
import { messagesErrors } from '../dialects/messages/errors.ts'
import { MessageStream } from '../dialects/messages/stream.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { Endpoint } from './endpoint.ts'
import { KnownCalls } from './known-calls.ts'
import { AnthropicCall } from './messages-call.ts'

export const countTokens: Endpoint = {
  path: '/v1/messages/count_tokens',
  task: 'count',
  usesTokens: false,
  unkeyed: new Set(['user', 'metadata', 'stream']),
  errors: messagesErrors,
  writer: messagesWriter,
  parse: (body) => known.find(body) ?? new CountTokensCall(body),
  forget: () => known.clear(),
  fold: () => null,
  unfold: () => null,
  callsTools: () => false,
  reportsError: () => false,
}

const known = new KnownCalls<CountTokensCall>()

class CountTokensCall extends AnthropicCall {
  override readonly maxOutputTokens = 0
  // It has no streams, whatever its body says.
  override readonly stream = false

  /** Counting takes nothing of a limit on tokens. */
  override get inputTokens(): number {
    return 0
  }

  observe(): StreamObserver {
    return new MessageStream(this.modelLiteral)
  }

  read(answer: string): ReadAnswer | InBandError | null {
    return readCountBytes(answer)
  }

  protected keep(): boolean {
    return known.add(this)
  }
}
