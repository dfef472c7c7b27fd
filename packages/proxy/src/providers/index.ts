import type { ProviderKind } from '@millrace/shared'

import { anthropic } from './anthropic.ts'
import { azureOpenAi } from './azure-openai.ts'
import { bedrock } from './bedrock.ts'
import { gemini } from './gemini.ts'
import { openaiCompatible } from './openai-compatible.ts'
import { openai } from './openai.ts'
import type { Provider } from './provider.ts'
import { simulated } from './simulated.ts'

const PROVIDERS: Record<ProviderKind, Provider> = {
  OPENAI: openai,
  AZURE_OPENAI: azureOpenAi,
  ANTHROPIC: anthropic,
  GEMINI: gemini,
  BEDROCK: bedrock,
  OPENAI_COMPATIBLE: openaiCompatible,
  SIMULATED: simulated,
}

/** The provider of a kind; undefined for one that this version doesn't know. */
export function providerOf(kind: string): Provider | undefined {
  return Object.hasOwn(PROVIDERS, kind) ? PROVIDERS[kind as ProviderKind] : undefined
}
