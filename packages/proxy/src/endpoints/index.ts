/** What clients may call that is understood. */
import type { ErrorForm } from '../canonical/writer.ts'
import { openAiErrors } from '../dialects/chat/errors.ts'
import { messagesErrors } from '../dialects/messages/errors.ts'
import { chatCompletions } from './chat-completions.ts'
import { completions } from './completions.ts'
import { countTokens } from './count-tokens.ts'
import { embeddings } from './embeddings.ts'
import type { Endpoint } from './endpoint.ts'
import { messages } from './messages.ts'
import { responses } from './responses.ts'

export const ENDPOINTS: readonly Endpoint[] = [
  chatCompletions,
  completions,
  messages,
  countTokens,
  embeddings,
  responses,
]

/** How clients of a path are told of errors, whether or not it is understood. */
export function errorsAt(path: string): ErrorForm {
  return path === messages.path || path.startsWith(`${messages.path}/`) ? messagesErrors : openAiErrors
}
