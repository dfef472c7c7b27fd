/** Anthropic's Messages API, as it is put requests to. */
import { parseExact } from '../../canonical/exact-json.ts'
import type { Wire } from '../../canonical/wire.ts'
import { readError, readMessage } from './answer-read.ts'
import { encodeMessages, type MessagesMemo } from './request-write.ts'
import { MessagesReader } from './stream-read.ts'

export const messagesWire: Wire = {
  pathOf: () => '/messages',
  encode: encodeMessages,
  parse: parseExact,
  read: readMessage,
  reader: ({ memo }) => new MessagesReader(memo as MessagesMemo),
  readError: (_status, body) => readError(body),
}
