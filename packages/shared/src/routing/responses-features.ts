/** What routing asks of a body of OpenAI's Responses API. */
import { isFilled, isObject, numberOf, textOf, type BodyFeatures, type JsonBody } from './body-values.ts'

/** @param body as parsed; whatever is not as it should be counts as absent */
export function responsesFeatures({ input, tools, max_output_tokens: most }: JsonBody): BodyFeatures {
  return {
    maxTokens: numberOf(most),
    tools: isFilled(tools),
    images: Array.isArray(input) && input.some(hasImage),
  }
}

/** The conversation that a body says it belongs to, where no header does: a key of its own, or OpenAI's. */
export function responsesConversation({ prompt_cache_key: key, conversation }: JsonBody): string | null {
  return textOf(key) ?? textOf(conversation) ?? (isObject(conversation) ? textOf(conversation['id']) : null)
}

/** In a message, or in the result of a tool. */
function hasImage(item: unknown): boolean {
  if (!isObject(item)) return false
  return [item['content'], item['output']].some(
    (parts) => Array.isArray(parts) && parts.some((part: unknown) => isObject(part) && part['type'] === 'input_image'),
  )
}
