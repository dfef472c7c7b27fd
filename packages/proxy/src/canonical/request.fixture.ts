/** For tests: a request that asks for nothing in particular. */
import { NO_PARAMS, type ChatRequest } from './request.ts'

export const PLAIN_REQUEST: ChatRequest = {
  kind: 'chat',
  system: [],
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
  tools: [],
  toolChoice: null,
  parallelToolCalls: null,
  format: null,
  reasoning: null,
  params: NO_PARAMS,
  stream: false,
  named: {},
  unknown: [],
}
