/** What clients may call that is understood. */
import { chatCompletions } from './chat-completions.ts'
import type { Endpoint } from './endpoint.ts'

export const ENDPOINTS: readonly Endpoint[] = [chatCompletions]
