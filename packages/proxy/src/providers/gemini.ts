/** Google's Gemini API. It speaks nothing that clients of Millrace do: all goes through the common form. */
import { PROVIDER_SETTINGS } from '@millrace/shared'

import { countWire, embedWire, generateWire } from '../dialects/gemini/wire.ts'
import type { Task } from '../endpoints/endpoint.ts'
import type { SpokenTo } from '../translation/translated.ts'
import { Translations } from '../translation/translations.ts'
import type { Provider, Speech } from './provider.ts'
import { pathOf, reached, urlOf } from './reached.ts'
import { spokenTo } from './speech.ts'

const SPOKEN: Readonly<Record<Task, SpokenTo>> = {
  chat: spokenTo(generateWire),
  count: spokenTo(countWire),
  embeddings: spokenTo(embedWire),
}

const SPEECH: Speech = {
  kind: 'GEMINI',
  variesByModel: false,
  headers: [],
  nativePath: () => null,
  editsOf: () => null,
  wireFor: (task) => SPOKEN[task],
}

export const gemini: Provider = {
  authorize: (apiKey) => ['x-goog-api-key', apiKey],
  connect(provider, pools) {
    const url = urlOf(provider)
    const { http2 } = PROVIDER_SETTINGS.GEMINI.parse(provider.settings)
    return {
      ...reached(provider, pools, url, http2, versioned(pathOf(url))),
      passthrough: null,
      translations: new Translations(SPEECH),
    }
  },
}

/** What does not name the API's version means the one that has all that is asked for here. */
function versioned(path: string): string {
  return /\/v\d/.test(path) ? path : `${path}/v1beta`
}
