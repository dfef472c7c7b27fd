/** Anthropic's API: Messages, and the counting of their tokens. Clients of other APIs are put to it as messages. */
import { PROVIDER_SETTINGS } from '@millrace/shared'

import { messagesWire } from '../dialects/messages/wire.ts'
import { Translations } from '../translation/translations.ts'
import type { Provider, Speech } from './provider.ts'
import { pathOf, reached, urlOf } from './reached.ts'
import { spokenTo } from './speech.ts'

/** The API wants one in each request. Newer ones refuse `temperature`, `top_p` and `top_k` of every model. */
const VERSION = ['anthropic-version', '2023-06-01']

const MESSAGES = spokenTo(messagesWire, VERSION)

const PATHS: Readonly<Record<string, string>> = {
  '/v1/messages': '/messages',
  '/v1/messages/count_tokens': '/messages/count_tokens',
}

const SPEECH: Speech = {
  kind: 'ANTHROPIC',
  variesByModel: false,
  headers: VERSION,
  nativePath: (endpoint) => PATHS[endpoint] ?? null,
  editsOf: () => null,
  wireFor: (task) => (task === 'chat' ? MESSAGES : null),
}

export const anthropic: Provider = {
  authorize: (apiKey) => ['x-api-key', apiKey],
  connect(provider, pools) {
    const url = urlOf(provider)
    const { http2 } = PROVIDER_SETTINGS.ANTHROPIC.parse(provider.settings)
    return {
      ...reached(provider, pools, url, http2, versioned(pathOf(url))),
      passthrough: null,
      translations: new Translations(SPEECH),
    }
  },
}

/** Anthropic's SDKs have the version in their paths, not in the base URL. */
function versioned(path: string): string {
  return path.endsWith('/v1') ? path : `${path}/v1`
}
