/** What clients may call that is understood. */
import { chatCompletions } from './chat-completions.ts'
import type { Dialect } from './dialect.ts'

export const DIALECTS: readonly Dialect[] = [chatCompletions]
