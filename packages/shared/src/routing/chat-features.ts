/** What routing asks of a chat completion's body (OpenAI's API reference, "Create chat completion"). */
import { isFilled, isObject, numberOf, textOf, type BodyFeatures, type JsonBody } from './body-values.ts'

/** @param body as parsed; whatever is not as it should be counts as absent */
export function chatFeatures(body: JsonBody): BodyFeatures {
  return {
    maxTokens: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
    tools: isFilled(body['tools']) || isFilled(body['functions']),
    images: Array.isArray(body['messages']) && body['messages'].some(hasImage),
  }
}

/** Whom a body says that it is for, where no header does. */
export function chatUser(body: JsonBody): string | null {
  return textOf(body['user']) ?? textOf(body['safety_identifier'])
}

/** The conversation that a body says it belongs to, where no header does. */
export function chatConversation(body: JsonBody): string | null {
  return textOf(body['prompt_cache_key']) ?? textOf(body['conversation'])
}

function hasImage(message: unknown): boolean {
  const content: unknown = isObject(message) ? message['content'] : null
  return Array.isArray(content) && content.some((part: unknown) => isObject(part) && part['type'] === 'image_url')
}
