/** Requests as tests make them, and what Gemini is told of them. */
import type { Part } from '../../canonical/content.ts'
import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import { NO_PARAMS, type ChatRequest, type FunctionTool, type Message, type Params } from '../../canonical/request.ts'
import type { Encoded } from '../../canonical/wire.ts'
import { generateWire } from './wire.ts'

/** Whatever it is. */
export type Json = ReturnType<typeof JSON.parse>

export const GEMINI_3 = 'gemini-3-pro-preview'
export const ASKED: Message = { role: 'user', content: [{ type: 'text', text: 'hi' }] }

export function request(more: Partial<ChatRequest> = {}, params: Partial<Params> = {}): ChatRequest {
  return {
    ...PLAIN_REQUEST,
    messages: [ASKED],
    params: { ...NO_PARAMS, ...params },
    named: { user: 'user', logitBias: 'logit_bias', reasoning: 'reasoning_effort', messages: 'messages' },
    ...more,
  }
}

export function encode(asked: ChatRequest, model = 'gemini-2.5-flash'): Encoded & { json: Json } {
  const encoded = generateWire.encode(asked, { model, stream: false })
  return { ...encoded, json: JSON.parse(encoded.body) }
}

export function contents(content: readonly Part[], role: Message['role'] = 'assistant', model = GEMINI_3): Json[] {
  return encode(request({ messages: [ASKED, { role, content }] }), model).json['contents']
}

export const tool = (name: string, parameters: FunctionTool['parameters'] = null): FunctionTool => ({
  type: 'function',
  name,
  description: null,
  strict: null,
  parameters,
})
export const call = (name: string, more: object = {}): Part => ({
  type: 'tool_call',
  id: `id-${name}`,
  name,
  arguments: '{}',
  ...more,
})

export const resultOf = (name: string): Part => ({ type: 'tool_result', id: `id-${name}`, content: [] })
