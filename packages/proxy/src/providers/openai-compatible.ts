/** Others' servers that speak OpenAI's API, those that are known with what they take otherwise (shared/presets.ts). */
import { COMPATIBLE_ENDPOINTS, PRESETS, PROVIDER_SETTINGS, type ChatQuirks } from '@millrace/shared'

import { MessageEdits } from '../dialects/chat/native-messages.ts'
import { COMPATIBLE_WIRE } from '../dialects/chat/wire-options.ts'
import { chatWire } from '../dialects/chat/wire.ts'
import { PassthroughRules } from '../passthrough/rules.ts'
import { BodyEdits } from '../translation/body-edits.ts'
import { Translations } from '../translation/translations.ts'
import { OpenAiSpeech } from './openai-family.ts'
import type { Provider } from './provider.ts'
import { reached, urlOf } from './reached.ts'
import { ResponsesModels } from './responses-models.ts'

export const openaiCompatible: Provider = {
  authorize: (apiKey) => ['authorization', `Bearer ${apiKey}`],
  connect(provider, pools) {
    const url = urlOf(provider)
    const settings = PROVIDER_SETTINGS.OPENAI_COMPATIBLE.parse(provider.settings)
    const { http2, passthrough, responsesModels } = settings
    const preset = settings.preset === null ? null : PRESETS[settings.preset]
    const quirks = { ...COMPATIBLE_WIRE, ...preset?.chat }
    const speech = new OpenAiSpeech({
      kind: 'OPENAI_COMPATIBLE',
      endpoints: settings.endpoints ?? preset?.endpoints ?? COMPATIBLE_ENDPOINTS,
      chat: chatWire(quirks),
      edits: preset === null ? null : editsOf(quirks),
      byResponses: new ResponsesModels(responsesModels),
      endsWithoutDone: quirks.endsWithoutDone,
    })
    return {
      ...reached(provider, pools, url, http2),
      passthrough: new PassthroughRules(passthrough),
      translations: new Translations(speech),
    }
  },
}

/** Whether a stream tells its usage is the gateway's affair, not the client's. */
function editsOf(quirks: ChatQuirks): BodyEdits | null {
  const { rename, drop, includeUsage } = quirks
  const quiet = includeUsage ? [] : ['stream_options']
  const messages = new MessageEdits(quirks)
  const within = messages.some ? messages : null
  if (Object.keys(rename).length === 0 && drop.length === 0 && quiet.length === 0 && within === null) return null
  return new BodyEdits({ rename, drop, quiet, within })
}
