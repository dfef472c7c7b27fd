/** OpenAI's chat completions as an API of providers. */
import type { CanonicalAnswer, ProviderError } from '../../canonical/answer.ts'
import type { CanonicalRequest } from '../../canonical/request.ts'
import type { Encoded, EncodeOptions, Encoding, ProviderErrorAnswer, StreamReader, Wire } from '../../canonical/wire.ts'
import { readChatCompletion } from './answer-read.ts'
import { readChatError } from './read-error.ts'
import { writeChatRequest } from './request-write.ts'
import { ChatStreamReader } from './stream-read.ts'
import type { ToolMemo } from './tool-names.ts'
import { OPENAI_WIRE, type ChatWireOptions } from './wire-options.ts'

class ChatWire implements Wire {
  private readonly options: ChatWireOptions
  readonly pathOf: Wire['pathOf']

  constructor(options: ChatWireOptions, pathOf: Wire['pathOf']) {
    this.options = options
    this.pathOf = pathOf
  }

  encode(request: CanonicalRequest, options: EncodeOptions): Encoded {
    return writeChatRequest(request, options, this.options)
  }

  read(answer: unknown, { memo }: Encoding): CanonicalAnswer | ProviderErrorAnswer | null {
    return readChatCompletion(answer, memo as ToolMemo | null)
  }

  reader({ memo }: Encoding): StreamReader {
    return new ChatStreamReader(memo as ToolMemo | null, this.options.endsWithoutDone)
  }

  readError(status: number, body: unknown): ProviderError {
    return readChatError(status, body)
  }
}

/** @param pathOf see {@link Wire.pathOf} */
export function chatWire(options: ChatWireOptions = OPENAI_WIRE, pathOf: Wire['pathOf'] = chatPath): Wire {
  return new ChatWire(options, pathOf)
}

function chatPath(): string {
  return '/chat/completions'
}
