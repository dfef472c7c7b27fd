/** OpenRouter's `reasoning_details` name the API that gave what stands in them: its documentation, "Reasoning tokens". */
import type { Origin } from '../../canonical/content.ts'

const FORMATS: Readonly<Record<Origin, string>> = {
  chat: 'unknown',
  messages: 'anthropic-claude-v1',
  responses: 'openai-responses-v1',
  gemini: 'google-gemini-v1',
  converse: 'anthropic-claude-v1',
}

export function formatOf(origin: Origin): string {
  return FORMATS[origin]
}

/** Whose signature it is, where it does not say so itself. */
export function originOf(format: unknown): Origin {
  if (typeof format !== 'string') return 'chat'
  if (format.startsWith('anthropic-')) return 'messages'
  if (format.startsWith('google-gemini')) return 'gemini'
  return format.startsWith('openai-responses') || format.startsWith('azure-openai-responses') ? 'responses' : 'chat'
}
