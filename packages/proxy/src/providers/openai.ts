/** OpenAI's API, and those that speak it (OPENAI_COMPATIBLE): what clients send is what the provider gets. */
import { DEFAULT_BASE_URLS, NEEDS_CREDENTIAL, PROVIDER_SETTINGS } from '@millrace/shared'

import { chatWire } from '../dialects/chat/wire.ts'
import type { Task } from '../endpoints/endpoint.ts'
import { PassthroughRules } from '../passthrough/rules.ts'
import type { SpokenTo } from '../translation/translated.ts'
import { Translations } from '../translation/translations.ts'
import { Targets, type Provider, type Speech } from './provider.ts'
import { spokenTo } from './speech.ts'

const CHAT = spokenTo(chatWire)

class OpenAiSpeech implements Speech {
  readonly kind: string
  readonly variesByModel = false
  readonly headers: readonly string[] = []
  private readonly endpoints: ReadonlySet<string>

  constructor(kind: string, endpoints: readonly string[]) {
    this.kind = kind
    this.endpoints = new Set(endpoints)
  }

  nativePath(endpoint: string): string | null {
    return this.endpoints.has(endpoint) ? endpoint.slice('/v1'.length) : null
  }

  editsOf(): null {
    return null
  }

  wireFor(task: Task): SpokenTo | null {
    return task === 'chat' ? CHAT : null
  }
}

const NATIVE: Readonly<Record<'OPENAI' | 'OPENAI_COMPATIBLE', readonly string[]>> = {
  OPENAI: ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'],
  OPENAI_COMPATIBLE: ['/v1/chat/completions', '/v1/completions', '/v1/embeddings'],
}

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
      const translations = new Translations(new OpenAiSpeech(kind, NATIVE[kind]))
      return { upstream: pooled, pooled, targets, passthrough: new PassthroughRules(passthrough), translations }
    },
  }
}

export const openai = openAiFamily('OPENAI')
export const openaiCompatible = openAiFamily('OPENAI_COMPATIBLE')
