import type { Endpoint } from '../endpoints/endpoint.ts'
import type { Speech } from '../providers/provider.ts'
import { EstimatedCount } from './estimated-count.ts'
import { Translated } from './translated.ts'
import type { Translation } from './translation.ts'
import { Unsupported } from './unsupported.ts'
import { Untouched } from './untouched.ts'

/** Clients may choose models, so what is kept of them is bounded. */
const MOST_MODELS = 1_000
/** Stands for all models of a provider that is asked the same way for each. */
const ANY = ''

/** How each endpoint is asked of one provider. */
export class Translations {
  private readonly speech: Speech
  private readonly known = new Map<Endpoint, Map<string, Translation>>()

  constructor(speech: Speech) {
    this.speech = speech
  }

  /** @param model the provider's own name of it */
  of(endpoint: Endpoint, model: string): Translation {
    let byModel = this.known.get(endpoint)
    if (byModel === undefined) this.known.set(endpoint, (byModel = new Map()))
    const key = this.speech.variesByModel ? model : ANY
    let translation = byModel.get(key)
    if (translation === undefined) {
      translation = this.find(endpoint, model)
      if (byModel.size >= MOST_MODELS) byModel.clear()
      byModel.set(key, translation)
    }
    return translation
  }

  private find(endpoint: Endpoint, model: string): Translation {
    const { speech } = this
    const path = speech.nativePath(endpoint.path, model)
    if (path !== null) return new Untouched(path, speech.headers, speech.editsOf(endpoint.path), speech.endsWithoutDone)
    const spoken = speech.wireFor(endpoint.task, model)
    if (spoken !== null) return new Translated(endpoint, spoken)
    return endpoint.task === 'count' ? new EstimatedCount(endpoint.path) : new Unsupported(endpoint, speech.kind)
  }
}
