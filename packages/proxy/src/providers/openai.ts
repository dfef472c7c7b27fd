/** OpenAI itself. */
import { DEFAULT_BASE_URLS, NEEDS_CREDENTIAL, PROVIDER_SETTINGS } from '@millrace/shared'

import { chatWire } from '../dialects/chat/wire.ts'
import { PassthroughRules } from '../passthrough/rules.ts'
import { Translations } from '../translation/translations.ts'
import { OpenAiSpeech } from './openai-family.ts'
import type { Provider } from './provider.ts'
import { reached } from './reached.ts'
import { ResponsesModels } from './responses-models.ts'

const ENDPOINTS = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses']

export const openai: Provider = {
  needsCredential: NEEDS_CREDENTIAL.OPENAI,
  authorize: (apiKey) => ['authorization', `Bearer ${apiKey}`],
  connect(provider, pools) {
    const url = new URL(provider.baseUrl ?? DEFAULT_BASE_URLS.OPENAI!)
    const { http2, passthrough, responsesModels } = PROVIDER_SETTINGS.OPENAI.parse(provider.settings)
    const speech = new OpenAiSpeech({
      kind: 'OPENAI',
      endpoints: ENDPOINTS,
      chat: chatWire(),
      edits: null,
      byResponses: new ResponsesModels(responsesModels),
    })
    return {
      ...reached(provider, pools, url, http2),
      passthrough: new PassthroughRules(passthrough),
      translations: new Translations(speech),
    }
  },
}
