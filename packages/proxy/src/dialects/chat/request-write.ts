/** Canonical requests as the bodies of chat completions. */
import type { CanonicalRequest } from '../../canonical/request.ts'
import type { Encoded, EncodeOptions } from '../../canonical/wire.ts'
import { toolMemo } from './tool-names.ts'
import type { ChatWireOptions } from './wire-options.ts'
import { writeMessages, type Said } from './write-messages.ts'
import { ParamWriting } from './write-params.ts'
import { writeFormat, writeTools } from './write-tools.ts'

export function writeChatRequest(
  request: CanonicalRequest,
  { model, stream }: EncodeOptions,
  options: ChatWireOptions,
): Encoded {
  if (request.kind !== 'chat') throw new TypeError(`a chat completion is not asked for by ${request.kind}`)
  const out = new ParamWriting(request, options)
  const messages = writeMessages(request, options)
  const told = writeFormat(request.format, options, out)
  if (told !== null) tell(messages, told)
  writeTools(request, options, out)
  out.writeParams()
  out.writeReasoning()
  const asks = stream && options.includeUsage ? { stream_options: { include_usage: true } } : {}
  const body = { model, messages, ...out.body, ...(stream ? { stream: true } : {}), ...asks }
  return { body: JSON.stringify(body), dropped: out.dropped, answerTool: null, memo: toolMemo(request, options) }
}

/** To the model, before all else it is told. */
function tell(messages: Said[], text: string): void {
  const [first] = messages
  if (first?.['role'] !== 'system') messages.unshift({ role: 'system', content: text })
  else if (typeof first['content'] === 'string') first['content'] += `\n\n${text}`
  else (first['content'] as unknown[]).push({ type: 'text', text })
}
