/** OpenAI's API, and those that speak it (OPENAI_COMPATIBLE): what clients send is what the provider gets. */
import { DEFAULT_BASE_URLS, NEEDS_CREDENTIAL, PROVIDER_SETTINGS } from '@millrace/shared'

import { PassthroughRules } from '../passthrough/rules.ts'
import { Targets, type Provider } from './provider.ts'

function openAiFamily(kind: 'OPENAI' | 'OPENAI_COMPATIBLE'): Provider {
  return {
    needsCredential: NEEDS_CREDENTIAL[kind],
    authorize: (apiKey) => ['authorization', `Bearer ${apiKey}`],
    connect(provider, pools) {
      const baseUrl = provider.baseUrl ?? DEFAULT_BASE_URLS[kind]
      if (baseUrl === undefined) throw new Error('has no base URL')
      const { origin, pathname } = new URL(baseUrl)
      const { http2, passthrough } = PROVIDER_SETTINGS[kind].parse(provider.settings)
      const pooled = pools.upstream({ origin, connectTimeoutMs: provider.timeouts.connect, http2 })
      const targets = new Targets(origin, pathname.replace(/\/+$/, ''))
      return { upstream: pooled, pooled, targets, passthrough: new PassthroughRules(passthrough) }
    },
  }
}

export const openai = openAiFamily('OPENAI')
export const openaiCompatible = openAiFamily('OPENAI_COMPATIBLE')
