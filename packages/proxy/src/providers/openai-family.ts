/** Providers that speak OpenAI's API: what clients send is what the provider gets, as far as it has the endpoint. */
import type { Wire } from '../canonical/wire.ts'
import type { Task } from '../endpoints/endpoint.ts'
import type { BodyEdits } from '../translation/body-edits.ts'
import type { SpokenTo } from '../translation/translated.ts'
import type { Speech } from './provider.ts'
import type { ResponsesModels } from './responses-models.ts'
import { spokenTo } from './speech.ts'

/** What OpenAI has, and Azure's v1 API. */
export const OPENAI_ENDPOINTS: readonly string[] = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
]

/** What members of the family differ in. */
export interface FamilyTraits {
  readonly kind: string
  /** That it has, as clients call them. */
  readonly endpoints: readonly string[]
  /** Its chat completions, by which it is asked for what it has no endpoint for. */
  readonly chat: Wire
  /** What it wants otherwise in bodies of chat completions; null: nothing. */
  readonly edits: BodyEdits | null
  readonly byResponses: ResponsesModels
  /** See {@link Speech.endsWithoutDone}. */
  readonly endsWithoutDone?: boolean
}

export class OpenAiSpeech implements Speech {
  readonly kind: string
  readonly variesByModel: boolean
  readonly headers: readonly string[] = []
  readonly endsWithoutDone: boolean
  private readonly endpoints: ReadonlySet<string>
  private readonly chat: SpokenTo
  private readonly edits: BodyEdits | null
  private readonly byResponses: ResponsesModels

  constructor({ kind, endpoints, chat, edits, byResponses, endsWithoutDone = false }: FamilyTraits) {
    this.endsWithoutDone = endsWithoutDone
    this.kind = kind
    this.endpoints = new Set(endpoints)
    this.chat = spokenTo(chat)
    this.edits = edits
    this.byResponses = byResponses
    this.variesByModel = byResponses.some
  }

  nativePath(endpoint: string, model: string): string | null {
    const { byResponses } = this
    const has = this.endpoints.has(endpoint) ? !byResponses.shuts(endpoint, model) : byResponses.opens(endpoint, model)
    return has ? endpoint.slice('/v1'.length) : null
  }

  editsOf(endpoint: string): BodyEdits | null {
    return endpoint === '/v1/chat/completions' ? this.edits : null
  }

  wireFor(task: Task, model: string): SpokenTo | null {
    return task === 'chat' ? (this.byResponses.wireFor(model) ?? this.chat) : null
  }
}
