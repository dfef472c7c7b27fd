/** Models that a provider of OpenAI's family is asked by the Responses API, whatever API its clients speak. */
import { GlobList } from '@millrace/shared'

import { responsesWire } from '../dialects/responses/wire.ts'
import type { SpokenTo } from '../translation/translated.ts'
import { spokenTo } from './speech.ts'

const RESPONSES = spokenTo(responsesWire)
/** What such models are not asked, though the provider knows it. */
const INSTEAD: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/completions'])

export class ResponsesModels {
  /** Whether there are any. */
  readonly some: boolean
  private readonly globs: GlobList
  private readonly spoken: SpokenTo

  /**
   * @param globs of the provider's own names of models
   * @param spoken how they are asked
   */
  constructor(globs: readonly string[], spoken = RESPONSES) {
    this.some = globs.length > 0
    this.globs = new GlobList(globs)
    this.spoken = spoken
  }

  /** Whether an endpoint's own bytes are nothing for that model. */
  shuts(endpoint: string, model: string): boolean {
    return this.some && INSTEAD.has(endpoint) && this.globs.has(model)
  }

  /** Whether that model takes an endpoint's own bytes, though the provider's others may not. */
  opens(endpoint: string, model: string): boolean {
    return this.some && endpoint === '/v1/responses' && this.globs.has(model)
  }

  /** How that model is asked for a chat; null: as the provider's others. */
  wireFor(model: string): SpokenTo | null {
    return this.some && this.globs.has(model) ? this.spoken : null
  }
}
