import type { ChatQuirks } from '@millrace/shared'

/** How a provider differs, see there. */
export type ChatWireOptions = ChatQuirks

/** OpenAI's own. */
export const OPENAI_WIRE: ChatWireOptions = {
  maxTokens: 'max_completion_tokens',
  developer: true,
  names: 'any',
  userAfterTool: true,
  textParts: true,
  openAi: true,
  cacheControl: false,
  reasoningBack: null,
  reasoning: 'reasoning_effort',
  toolIds: 'short',
  schema: 'json_schema',
  includeUsage: true,
  endsWithoutDone: false,
  extra: ['service_tier', 'verbosity', 'prompt_cache_key', 'modalities', 'audio'],
  rename: {},
  drop: [],
  dropInMessages: [],
}

/** What most compatible servers take. */
export const COMPATIBLE_WIRE: ChatWireOptions = {
  maxTokens: 'max_tokens',
  developer: false,
  names: 'any',
  userAfterTool: true,
  textParts: false,
  openAi: false,
  cacheControl: false,
  reasoningBack: null,
  reasoning: 'reasoning_effort',
  toolIds: 'any',
  schema: 'json_schema',
  includeUsage: true,
  endsWithoutDone: false,
  extra: [],
  rename: {},
  drop: [],
  dropInMessages: [],
}
