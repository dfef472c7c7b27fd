/** `POST /v1/messages`: Anthropic's API reference, "Create a Message". */
import { messagesWriter } from '../dialects/messages/answer-write.ts'
import { readMessageBytes } from '../dialects/messages/answer.ts'
import { messagesErrors } from '../dialects/messages/errors.ts'
import { foldMessageStream } from '../dialects/messages/fold.ts'
import { MessageStream } from '../dialects/messages/stream.ts'
import { messageCallsTools } from '../dialects/messages/tools.ts'
import { unfoldMessage } from '../dialects/messages/unfold.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { Endpoint } from './endpoint.ts'
import { KnownCalls } from './known-calls.ts'
import { AnthropicCall } from './messages-call.ts'

export const messages: Endpoint = {
  path: '/v1/messages',
  task: 'chat',
  usesTokens: true,
  unkeyed: new Set(['user', 'metadata', 'stream']),
  errors: messagesErrors,
  writer: messagesWriter,
  lastEvent: /^(?:event: ?message_stop[\r\n]|data: ?\{"type": ?"message_stop")/,
  parse: (body) => known.find(body) ?? new MessagesCall(body),
  forget: () => known.clear(),
  fold: foldMessageStream,
  unfold: unfoldMessage,
  callsTools: messageCallsTools,
  reportsError: (body) => REPORTED_ERROR.test(body),
}

const known = new KnownCalls<MessagesCall>()
/** Of an answer that begins so, or an event. */
const REPORTED_ERROR = /^\s*\{\s*"type"\s*:\s*"error"|(?:^|[\r\n])event: ?error|(?:^|[\r\n])data: ?\{"type": ?"error"/

class MessagesCall extends AnthropicCall {
  observe(): StreamObserver {
    return new MessageStream(this.modelLiteral)
  }

  read(answer: string): ReadAnswer | InBandError | null {
    return readMessageBytes(answer, this.modelLiteral)
  }

  protected keep(): boolean {
    return known.add(this)
  }
}
