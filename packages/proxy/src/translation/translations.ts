import type { Endpoint } from '../endpoints/endpoint.ts'
import type { Speech } from '../providers/provider.ts'
import { Translated } from './translated.ts'
import type { Translation } from './translation.ts'
import { Unsupported } from './unsupported.ts'
import { Untouched } from './untouched.ts'

/** How each endpoint is asked of one provider. */
export class Translations {
  private readonly speech: Speech
  private readonly known = new Map<Endpoint, Translation>()

  constructor(speech: Speech) {
    this.speech = speech
  }

  /** @param model the provider's own name of it */
  of(endpoint: Endpoint, model: string): Translation {
    if (this.speech.variesByModel) return this.find(endpoint, model)
    let translation = this.known.get(endpoint)
    if (translation === undefined) this.known.set(endpoint, (translation = this.find(endpoint, model)))
    return translation
  }

  private find(endpoint: Endpoint, model: string): Translation {
    const { speech } = this
    const path = speech.nativePath(endpoint.path, model)
    if (path !== null) return new Untouched(path, speech.headers, speech.editsOf(endpoint.path))
    const spoken = speech.wireFor(endpoint.task, model)
    return spoken === null ? new Unsupported(endpoint, speech.kind) : new Translated(endpoint, spoken)
  }
}
