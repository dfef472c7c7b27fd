/** Upstreams that an environment variable with a key in it gives away. */
import { PRESET_NAMES, type PresetName, type ProviderKind } from '@millrace/shared'

export interface Vendor {
  readonly name: string
  readonly kind: ProviderKind
  readonly settings: Readonly<Record<string, unknown>>
  /** Those that its own tools read its key from: of several that are set, the first. */
  readonly variables: readonly string[]
}

/** Who has none that means its models alone, or lives on this machine, is missing. */
const VARIABLES_OF_PRESETS: Partial<Record<PresetName, readonly string[]>> = {
  alibaba: ['DASHSCOPE_API_KEY'],
  cerebras: ['CEREBRAS_API_KEY'],
  cohere: ['COHERE_API_KEY', 'CO_API_KEY'],
  deepinfra: ['DEEPINFRA_API_KEY'],
  deepseek: ['DEEPSEEK_API_KEY'],
  fireworks: ['FIREWORKS_API_KEY'],
  groq: ['GROQ_API_KEY'],
  huggingface: ['HUGGINGFACE_API_KEY'],
  mistral: ['MISTRAL_API_KEY'],
  moonshot: ['MOONSHOT_API_KEY'],
  nvidia: ['NVIDIA_API_KEY'],
  openrouter: ['OPENROUTER_API_KEY'],
  perplexity: ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'],
  sambanova: ['SAMBANOVA_API_KEY'],
  together: ['TOGETHER_API_KEY'],
  xai: ['XAI_API_KEY'],
  zai: ['ZAI_API_KEY'],
}

export const VENDORS: readonly Vendor[] = [
  { name: 'openai', kind: 'OPENAI', settings: {}, variables: ['OPENAI_API_KEY'] },
  { name: 'anthropic', kind: 'ANTHROPIC', settings: {}, variables: ['ANTHROPIC_API_KEY'] },
  {
    name: 'gemini',
    kind: 'GEMINI',
    settings: {},
    variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  },
  ...PRESET_NAMES.map((preset): Vendor => ({
    name: preset,
    kind: 'OPENAI_COMPATIBLE',
    settings: { preset },
    variables: VARIABLES_OF_PRESETS[preset] ?? [],
  })),
]
