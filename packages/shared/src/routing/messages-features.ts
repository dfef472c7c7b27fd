/** What routing asks of a body of Anthropic's Messages API. */
import { isFilled, isObject, numberOf, textOf, type BodyFeatures, type JsonBody } from './body-values.ts'

/** @param body as parsed; whatever is not as it should be counts as absent */
export function messagesFeatures({ max_tokens: most, tools, messages }: JsonBody): BodyFeatures {
  return {
    maxTokens: numberOf(most),
    tools: isFilled(tools),
    images: Array.isArray(messages) && messages.some(holdsImage),
  }
}

/** By itself, or in the result of a tool. What is nested deeper is no message, and may be nested without end. */
function holdsImage(message: unknown): boolean {
  return blocksOf(message).some((block) => isImage(block) || blocksOf(block).some(isImage))
}

function blocksOf(holder: unknown): readonly unknown[] {
  return isObject(holder) && Array.isArray(holder['content']) ? holder['content'] : []
}

function isImage(block: unknown): boolean {
  return isObject(block) && block['type'] === 'image'
}

/** Whom a body says that it is for. */
export function messagesUser({ metadata }: JsonBody): string | null {
  return isObject(metadata) ? textOf(metadata['user_id']) : null
}

const SESSION = /_session_([\w-]{1,128})$/

/** The conversation, as Anthropic's own agents put it into `metadata.user_id`. */
export function messagesConversation(user: string | null): string | null {
  if (user === null) return null
  const session = SESSION.exec(user)
  if (session) return session[1]!
  if (!user.startsWith('{')) return null
  try {
    const told: unknown = JSON.parse(user)
    return isObject(told) ? textOf(told['session_id']) : null
  } catch {
    return null
  }
}
