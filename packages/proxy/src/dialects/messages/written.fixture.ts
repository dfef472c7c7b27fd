/** Requests as tests make them, and what Anthropic is told of them. */
import type { Part } from '../../canonical/content.ts'
import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import { NO_PARAMS, type ChatRequest, type FunctionTool, type Params, type Reasoning } from '../../canonical/request.ts'
import { encodeMessages } from './request-write.ts'

export const USER = { role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello.' }] }
const ASKED: ChatRequest = {
  ...PLAIN_REQUEST,
  messages: [USER],
  named: { reasoning: 'reasoning_effort', topP: 'top_p', maxTokens: 'max_completion_tokens' },
}
export const SONNET = 'claude-sonnet-4-5'
export const OPUS = 'claude-opus-4-8'
export const F: FunctionTool = { type: 'function', name: 'f', description: null, parameters: null, strict: null }

export function write(request: Partial<ChatRequest>, model = SONNET) {
  const { body, ...rest } = encodeMessages({ ...ASKED, ...request }, { model, stream: false })
  return { body: JSON.parse(body), ...rest }
}

export const params = (some: Partial<Params>) => ({ params: { ...NO_PARAMS, ...some } })
export const thinking = (some: Partial<Reasoning>) => ({
  reasoning: { effort: null, budget: null, enabled: null, shown: null, ...some },
})
export const call = (id: string): Part => ({ type: 'tool_call', id, name: 'f', arguments: '{}' })
export const result = (id: string): Part => ({ type: 'tool_result', id, content: [{ type: 'text', text: 'ok' }] })
