/** Translations without a proxy around them: each API's wire and writer, as the build has them. */
import { chatWriter } from '../../../packages/proxy/dist/dialects/chat/answer-write.js'
import { readChatRequest } from '../../../packages/proxy/dist/dialects/chat/request-read.js'
import { chatWire } from '../../../packages/proxy/dist/dialects/chat/wire.js'
import { converseWire } from '../../../packages/proxy/dist/dialects/converse/wire.js'
import { generateWire } from '../../../packages/proxy/dist/dialects/gemini/wire.js'
import { messagesWriter } from '../../../packages/proxy/dist/dialects/messages/answer-write.js'
import { readMessagesRequest } from '../../../packages/proxy/dist/dialects/messages/request-read.js'
import { messagesWire } from '../../../packages/proxy/dist/dialects/messages/wire.js'
import { responsesWriter } from '../../../packages/proxy/dist/dialects/responses/answer-write.js'
import { readResponsesRequest } from '../../../packages/proxy/dist/dialects/responses/request-read.js'
import { responsesWire } from '../../../packages/proxy/dist/dialects/responses/wire.js'
import { AwsEventSplitter } from '../../../packages/proxy/dist/stream/aws-event-stream.js'
import { EventSplitter } from '../../../packages/proxy/dist/stream/events.js'
import type { Splitter } from '../../../packages/proxy/dist/stream/splitter.js'
import { TranslatedStream } from '../../../packages/proxy/dist/translation/translated-stream.js'
import { recordedFrames } from '../../helpers/upstream/event-stream.ts'
import type { Spoken } from './speakers.ts'

export const WIRES = {
  chat: chatWire(),
  responses: responsesWire,
  messages: messagesWire,
  gemini: generateWire,
  converse: converseWire,
}
export const WRITERS = { chat: chatWriter, responses: responsesWriter, messages: messagesWriter }
export const READERS = { chat: readChatRequest, responses: readResponsesRequest, messages: readMessagesRequest }

const MODEL = 'model'
const REQUEST = readChatRequest({ model: MODEL, messages: [{ role: 'user', content: 'Hello.' }], stream: true })
export const SAYING = {
  model: MODEL,
  id: '00000000-0000-7000-8000-000000000000',
  created: 1_770_933_892,
  request: REQUEST,
  usageWanted: true,
}

export function encodedFor(api: Spoken, stream: boolean): ReturnType<(typeof WIRES)[Spoken]['encode']> {
  return WIRES[api].encode(REQUEST, { model: MODEL, stream })
}

/** The bytes of each event of a stream. @param lines their data; of Bedrock `{NAME: payload}` */
export function bytesOf(api: Spoken, lines: readonly string[]): Buffer[] {
  if (api === 'converse') return recordedFrames(lines)
  return [...lines, ...(api === 'chat' ? ['[DONE]'] : [])].map((line) => Buffer.from(`data: ${line}\n\n`))
}

/** What a client gets of a stream, piece by piece. */
export class Translating {
  readonly stream: TranslatedStream
  readonly #splitter: Splitter

  constructor(api: Spoken, client: keyof typeof WRITERS) {
    const reader = WIRES[api].reader(encodedFor(api, true))
    this.stream = new TranslatedStream(reader, WRITERS[client].stream(SAYING), null)
    this.#splitter = api === 'converse' ? new AwsEventSplitter() : new EventSplitter()
  }

  /** @returns bytes as latin1 */
  push(bytes: Buffer): string {
    const { stream } = this
    const splitter = this.#splitter
    let out = ''
    splitter.pushBytes(bytes)
    while (splitter.next()) out += stream.take(splitter.text, splitter.start, splitter.end)
    return out
  }
}
