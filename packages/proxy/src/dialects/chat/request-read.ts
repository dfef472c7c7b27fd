import type { ChatRequest } from '../../canonical/request.ts'

export function readChatRequest(_body: Readonly<Record<string, unknown>>): ChatRequest {
  throw new Error('not yet')
}
