/** What the tests beside ask for, and what becomes of it. */
import type { Part } from '../../canonical/content.ts'
import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import { NO_PARAMS, type ChatRequest, type FunctionTool, type Message, type Params } from '../../canonical/request.ts'
import { encodeRequest } from './request-write.ts'

export const SONNET_4 = 'us.anthropic.claude-sonnet-4-20250514-v1:0'
export const SONNET_4_5 = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
export const OPUS_4_7 = 'global.anthropic.claude-opus-4-7'
export const NOVA = 'amazon.nova-lite-v1:0'
export const NOVA_2 = 'us.amazon.nova-2-lite-v1:0'
export const LLAMA = 'meta.llama3-3-70b-instruct-v1:0'

export const HELLO: Message = { role: 'user', content: [{ type: 'text', text: 'Hello' }] }
export const PNG = 'iVBORw0KGgo='

export type Asked = Omit<Partial<ChatRequest>, 'params'> & { readonly params?: Partial<Params> }

export function asking({ params, ...more }: Asked = {}): ChatRequest {
  return {
    ...PLAIN_REQUEST,
    messages: [HELLO],
    ...more,
    params: { ...NO_PARAMS, ...params },
  }
}

export function encoded(request: Asked, model = SONNET_4) {
  const { body, ...rest } = encodeRequest(asking(request), model)
  return { ...rest, body: JSON.parse(body) }
}

export const bodyOf = (request: Asked, model?: string) => encoded(request, model).body
export const contentOf = (content: readonly Part[], model?: string) =>
  bodyOf({ messages: [{ role: 'user', content }] }, model)['messages'][0].content
export const said = (role: Message['role'], ...content: readonly Part[]): Message => ({ role, content })
export const text = (words: string) => ({ type: 'text', text: words }) as const
export const tool = (name: string, more: Partial<FunctionTool> = {}): FunctionTool => ({
  type: 'function',
  name,
  description: null,
  parameters: { type: 'object', properties: {} },
  strict: null,
  ...more,
})
export const call = (id: string, name: string, args = '{}') =>
  ({ type: 'tool_call', id, name, arguments: args }) as const
export const result = (id: string, ...content: (typeof HELLO.content)[number][]) =>
  ({ type: 'tool_result', id, content: content as [] }) as const
