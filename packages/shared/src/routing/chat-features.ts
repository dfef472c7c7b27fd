/** What routing asks of a chat completion's body (OpenAI's API reference, "Create chat completion"). */

export interface ChatFeatures {
  readonly maxTokens: number | null
  readonly tools: boolean
  readonly images: boolean
}

/** @param body as parsed; whatever is not as it should be counts as absent */
export function chatFeatures(body: Readonly<Record<string, unknown>>): ChatFeatures {
  return {
    maxTokens: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
    tools: isFilled(body['tools']) || isFilled(body['functions']),
    images: Array.isArray(body['messages']) && body['messages'].some(hasImage),
  }
}

/** Whom a body says that it is for, where no header does. */
export function chatUser(body: Readonly<Record<string, unknown>>): string | null {
  return textOf(body['user']) ?? textOf(body['safety_identifier'])
}

/** The conversation that a body says it belongs to, where no header does. */
export function chatConversation(body: Readonly<Record<string, unknown>>): string | null {
  return textOf(body['prompt_cache_key']) ?? textOf(body['conversation'])
}

function hasImage(message: unknown): boolean {
  const content: unknown = isObject(message) ? message['content'] : null
  return Array.isArray(content) && content.some((part: unknown) => isObject(part) && part['type'] === 'image_url')
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
