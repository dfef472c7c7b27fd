/** Providers that speak OpenAI's API: where they live, which of its endpoints they have, and what they take otherwise. */
import type { ChatQuirks } from './chat-quirks.ts'

export interface Preset {
  readonly baseUrl: string
  /** What it is asked for in the client's own words, as clients call it. All else is said by its chat completions. */
  readonly endpoints: readonly NativeEndpoint[]
  /** What differs from most compatible servers. */
  readonly chat?: Partial<ChatQuirks>
}

/** What a provider of kind OPENAI_COMPATIBLE may have. */
export const NATIVE_ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/messages',
] as const
export type NativeEndpoint = (typeof NATIVE_ENDPOINTS)[number]

const CHAT = ['/v1/chat/completions'] as const
const CHAT_EMBEDDINGS = [...CHAT, '/v1/embeddings'] as const
const CHAT_RESPONSES = [...CHAT, '/v1/responses'] as const
const CLASSIC = [...CHAT, '/v1/completions', '/v1/embeddings'] as const

/** Where nothing is known of a server but that it is compatible. */
export const COMPATIBLE_ENDPOINTS: readonly NativeEndpoint[] = CLASSIC

/** Only the old name: who gets the new one leaves it unread, or refuses it. */
const OLD_LIMIT = { max_completion_tokens: 'max_tokens' } as const

/**
 * What the messages of answers have and clients send back with them: who refuses members that it does not know gets none of
 * it. No other model would read it.
 */
const OF_ANSWERS = ['reasoning_content', 'reasoning_details', 'thinking_blocks', 'refusal', 'annotations'] as const

const presets = {
  // https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope; China has a host of its own.
  alibaba: {
    baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    endpoints: CHAT_EMBEDDINGS,
    chat: { reasoning: 'enable_thinking', extra: ['top_k'] },
  },
  // https://inference-docs.cerebras.ai/api-reference/chat-completions; what is not in it is refused with 400 ("property
  // 'messages.2.assistant.reasoning_content' is unsupported", Kilo-Org/kilocode#10375).
  cerebras: {
    baseUrl: 'https://api.cerebras.ai/v1',
    endpoints: [...CHAT, '/v1/completions'],
    chat: { maxTokens: 'max_completion_tokens', extra: ['service_tier'], dropInMessages: OF_ANSWERS },
  },
  // https://docs.cohere.com/docs/compatibility-api: a system message's role is developer; it refuses stream_options
  // (strandsagents.com, "Cohere").
  cohere: {
    baseUrl: 'https://api.cohere.ai/compatibility/v1',
    endpoints: CHAT_EMBEDDINGS,
    chat: { developer: true, includeUsage: false, rename: OLD_LIMIT },
  },
  // https://deepinfra.com/docs/openai_api
  deepinfra: { baseUrl: 'https://api.deepinfra.com/v1/openai', endpoints: CLASSIC, chat: { extra: ['top_k'] } },
  // https://api-docs.deepseek.com/api/create-chat-completion, /guides/thinking_mode: thoughts go back with calls of tools.
  deepseek: {
    baseUrl: 'https://api.deepseek.com',
    endpoints: CHAT,
    chat: {
      reasoning: 'thinking',
      reasoningBack: 'reasoning_content',
      schema: 'json_object',
      extra: ['reasoning_effort'],
      rename: OLD_LIMIT,
    },
  },
  // https://docs.fireworks.ai/tools-sdks/openai-compatibility
  fireworks: {
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    endpoints: [...CLASSIC, '/v1/responses'],
    chat: { extra: ['top_k'] },
  },
  // https://docs.github.com/en/rest/models/inference
  github: { baseUrl: 'https://models.github.ai/inference', endpoints: CHAT_EMBEDDINGS },
  // https://console.groq.com/docs/openai: what it answers 400 to; tools' messages have names in /docs/tool-use. "property
  // 'reasoning_content' is unsupported" (janhq/jan#8136), `reasoning` is its own.
  groq: {
    baseUrl: 'https://api.groq.com/openai/v1',
    endpoints: CHAT_RESPONSES,
    chat: {
      maxTokens: 'max_completion_tokens',
      names: 'tool',
      extra: ['service_tier'],
      drop: ['logprobs', 'top_logprobs', 'logit_bias'],
      dropInMessages: OF_ANSWERS,
    },
  },
  // https://huggingface.co/docs/inference-providers/index
  huggingface: { baseUrl: 'https://router.huggingface.co/v1', endpoints: CHAT },
  // https://github.com/ggml-org/llama.cpp/tree/master/tools/server
  llamacpp: {
    baseUrl: 'http://127.0.0.1:8080/v1',
    endpoints: CLASSIC,
    chat: { extra: ['top_k'], reasoningBack: 'reasoning_content' },
  },
  // https://lmstudio.ai/docs/developer/openai-compat; its Responses only since 0.3.29, so that they are asked for by `endpoints`.
  lmstudio: { baseUrl: 'http://127.0.0.1:1234/v1', endpoints: CLASSIC, chat: { extra: ['top_k'] } },
  // https://docs.mistral.ai/api: what is not in it is refused with 422 (mistralai/platform-docs-public#7), a name but of a
  // tool's message too, and what others' answers have (`reasoning_content`: BerriAI/litellm#30835); with 400 a message of the
  // user's after a tool's (code 3230, "Unexpected role 'user' after role 'tool'") and other ids of calls (code 3280, "must be
  // a-z, A-Z, 0-9, with a length of 9").
  mistral: {
    baseUrl: 'https://api.mistral.ai/v1',
    endpoints: CHAT_EMBEDDINGS,
    chat: {
      names: 'tool',
      userAfterTool: false,
      reasoning: null,
      toolIds: 'nine',
      includeUsage: false,
      rename: { ...OLD_LIMIT, seed: 'random_seed' },
      drop: [
        'user',
        'safety_identifier',
        'metadata',
        'store',
        'logit_bias',
        'logprobs',
        'top_logprobs',
        'service_tier',
        'prompt_cache_key',
        'verbosity',
        'modalities',
        'audio',
        'web_search_options',
      ],
      dropInMessages: [...OF_ANSWERS, 'reasoning'],
    },
  },
  // https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model: thoughts go back while tools are called.
  moonshot: {
    baseUrl: 'https://api.moonshot.ai/v1',
    endpoints: CHAT,
    chat: { reasoning: 'thinking', reasoningBack: 'reasoning_content' },
  },
  // https://docs.api.nvidia.com/nim/reference/llm-apis
  nvidia: { baseUrl: 'https://integrate.api.nvidia.com/v1', endpoints: CHAT_EMBEDDINGS },
  // https://docs.ollama.com/api/openai-compatibility; its Responses only since 0.13, so that they are asked for by `endpoints`.
  ollama: { baseUrl: 'http://127.0.0.1:11434/v1', endpoints: CLASSIC, chat: { rename: OLD_LIMIT } },
  // https://openrouter.ai/docs/api-reference/overview, /docs/use-cases/reasoning-tokens, /docs/features/prompt-caching
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    endpoints: [...CLASSIC, '/v1/responses'],
    chat: {
      textParts: true,
      cacheControl: true,
      reasoning: 'reasoning',
      reasoningBack: 'reasoning_details',
      extra: ['top_k', 'modalities', 'verbosity'],
    },
  },
  // https://docs.perplexity.ai/guides/chat-completions-guide; no [DONE]: github.com/perplexityai/api-discussion/issues/209
  perplexity: {
    baseUrl: 'https://api.perplexity.ai',
    endpoints: CHAT,
    chat: { endsWithoutDone: true, extra: ['top_k'], rename: OLD_LIMIT },
  },
  // https://docs.sambanova.ai/cloud/docs/capabilities/openai-compatibility
  sambanova: { baseUrl: 'https://api.sambanova.ai/v1', endpoints: CHAT_EMBEDDINGS, chat: { extra: ['top_k'] } },
  // https://docs.together.ai/docs/openai-api-compatibility
  together: { baseUrl: 'https://api.together.xyz/v1', endpoints: CLASSIC, chat: { extra: ['top_k'] } },
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
  vllm: {
    baseUrl: 'http://127.0.0.1:8000/v1',
    endpoints: CLASSIC,
    chat: { extra: ['top_k'], reasoningBack: 'reasoning_content' },
  },
  // https://docs.x.ai/docs/api-reference; "Only messages of role 'user' can have a name" (BerriAI/litellm#9720).
  xai: { baseUrl: 'https://api.x.ai/v1', endpoints: CHAT_RESPONSES, chat: { names: 'user' } },
  // https://docs.z.ai/api-reference/llm/chat-completion
  zai: { baseUrl: 'https://api.z.ai/api/paas/v4', endpoints: CHAT_EMBEDDINGS, chat: { reasoning: 'thinking' } },
} as const satisfies Readonly<Record<string, Preset>>

export type PresetName = keyof typeof presets
export const PRESETS: Readonly<Record<PresetName, Preset>> = presets
export const PRESET_NAMES = Object.keys(presets) as readonly PresetName[]
