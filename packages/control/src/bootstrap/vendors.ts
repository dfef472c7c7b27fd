/** Upstreams that an environment variable with a key in it gives away: their OpenAI-compatible endpoints, as documented. */
import type { ProviderKind } from '@millrace/shared'

export interface Vendor {
  /** The variable that its own tools read its key from. */
  readonly variable: string
  readonly name: string
  readonly kind: ProviderKind
  /** Null: the kind's own. */
  readonly baseUrl: string | null
}

export const VENDORS: readonly Vendor[] = [
  { variable: 'OPENAI_API_KEY', name: 'openai', kind: 'OPENAI', baseUrl: null },
  { variable: 'DEEPSEEK_API_KEY', name: 'deepseek', kind: 'OPENAI_COMPATIBLE', baseUrl: 'https://api.deepseek.com/v1' },
  { variable: 'GROQ_API_KEY', name: 'groq', kind: 'OPENAI_COMPATIBLE', baseUrl: 'https://api.groq.com/openai/v1' },
  { variable: 'MISTRAL_API_KEY', name: 'mistral', kind: 'OPENAI_COMPATIBLE', baseUrl: 'https://api.mistral.ai/v1' },
  {
    variable: 'OPENROUTER_API_KEY',
    name: 'openrouter',
    kind: 'OPENAI_COMPATIBLE',
    baseUrl: 'https://openrouter.ai/api/v1',
  },
  { variable: 'TOGETHER_API_KEY', name: 'together', kind: 'OPENAI_COMPATIBLE', baseUrl: 'https://api.together.xyz/v1' },
  { variable: 'XAI_API_KEY', name: 'xai', kind: 'OPENAI_COMPATIBLE', baseUrl: 'https://api.x.ai/v1' },
]
