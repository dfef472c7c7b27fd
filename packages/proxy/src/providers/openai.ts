/** OpenAI itself. */
import { PROVIDER_SETTINGS } from '@millrace/shared'

import { chatWire } from '../dialects/chat/wire.ts'
import { PassthroughRules } from '../passthrough/rules.ts'
import { Translations } from '../translation/translations.ts'
import { OPENAI_ENDPOINTS, OpenAiSpeech } from './openai-family.ts'
import type { Provider } from './provider.ts'
import { reached, urlOf } from './reached.ts'
import { ResponsesModels } from './responses-models.ts'

export const openai: Provider = {
  authorize: (apiKey) => ['authorization', `Bearer ${apiKey}`],
  connect(provider, pools) {
    const url = urlOf(provider)
    const { http2, passthrough, responsesModels } = PROVIDER_SETTINGS.OPENAI.parse(provider.settings)
    const speech = new OpenAiSpeech({
      kind: 'OPENAI',
      endpoints: OPENAI_ENDPOINTS,
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
