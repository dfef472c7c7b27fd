/**
 * OpenAI's models at Azure (Azure OpenAI's "REST API reference"): by its v1 API, whose paths are OpenAI's own, or, where a
 * version is set, by a URL for each deployment; Responses, where that version has them, by one for all.
 */
import { PROVIDER_SETTINGS } from '@millrace/shared'

import { OPENAI_WIRE } from '../dialects/chat/wire-options.ts'
import { chatWire } from '../dialects/chat/wire.ts'
import { responsesWire } from '../dialects/responses/wire.ts'
import type { Task } from '../endpoints/endpoint.ts'
import { PassthroughRules } from '../passthrough/rules.ts'
import type { SpokenTo } from '../translation/translated.ts'
import { Translations } from '../translation/translations.ts'
import { AzurePlace } from './azure-place.ts'
import { OPENAI_ENDPOINTS, OpenAiSpeech } from './openai-family.ts'
import { Targets, type Provider, type Speech, type Target } from './provider.ts'
import { ResponsesModels } from './responses-models.ts'
import { spokenTo } from './speech.ts'

export const azureOpenAi: Provider = {
  authorize: (apiKey) => ['api-key', apiKey],
  connect(provider, pools) {
    if (provider.baseUrl === null) throw new Error('has no base URL')
    const { http2, passthrough, responsesModels, apiVersion } = PROVIDER_SETTINGS.AZURE_OPENAI.parse(provider.settings)
    const place = new AzurePlace(provider.baseUrl, apiVersion)
    const { origin, prefix } = place
    const pooled = pools.upstream({ origin, connectTimeoutMs: provider.timeouts.connect, http2 })
    const speech =
      place.version === null
        ? new OpenAiSpeech({
            kind: 'AZURE_OPENAI',
            endpoints: OPENAI_ENDPOINTS,
            chat: chatWire(),
            edits: null,
            byResponses: new ResponsesModels(responsesModels),
          })
        : new DeploymentSpeech(place, responsesModels)
    return {
      upstream: pooled,
      pooled,
      targets: place.version === null ? new Targets(origin, prefix) : new DeploymentTargets(place),
      passthrough: new PassthroughRules(passthrough),
      translations: new Translations(speech),
    }
  },
}

const DEPLOYMENT_ENDPOINTS: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings'])

class DeploymentSpeech implements Speech {
  readonly kind = 'AZURE_OPENAI'
  readonly variesByModel = true
  readonly headers: readonly string[] = []
  private readonly place: AzurePlace
  private readonly chat: SpokenTo
  /** Only of those count that have Responses. */
  private readonly byResponses: ResponsesModels

  constructor(place: AzurePlace, responsesModels: readonly string[]) {
    this.place = place
    this.chat = spokenTo(chatWire(OPENAI_WIRE, (model) => place.pathOf('/chat/completions', model)))
    const pathOf = (model: string): string => place.responsesPathOf(model)!
    this.byResponses = new ResponsesModels(responsesModels, spokenTo({ ...responsesWire, pathOf }))
  }

  nativePath(endpoint: string, model: string): string | null {
    const { place, byResponses } = this
    if (endpoint === '/v1/responses') return place.responsesPathOf(model)
    if (!DEPLOYMENT_ENDPOINTS.has(endpoint)) return null
    const shut = byResponses.shuts(endpoint, model) && place.responsesPathOf(model) !== null
    return shut ? null : place.pathOf(endpoint.slice('/v1'.length), model)
  }

  editsOf(): null {
    return null
  }

  wireFor(task: Task, model: string): SpokenTo | null {
    if (task !== 'chat') return null
    const responses = this.place.responsesPathOf(model) === null ? null : this.byResponses.wireFor(model)
    return responses ?? this.chat
  }
}

class DeploymentTargets extends Targets {
  private readonly place: AzurePlace

  constructor(place: AzurePlace) {
    super(place.origin, place.prefix)
    this.place = place
  }

  /** Of deployments there is no end. */
  override of(upstreamPath: string): Target {
    const query = upstreamPath.indexOf('?')
    return query < 0 ? this.once(upstreamPath, '') : this.once(upstreamPath.slice(0, query), upstreamPath.slice(query))
  }

  override passed(upstreamPath: string, query: string, model: string): Target {
    return this.of(this.place.passedPathOf(upstreamPath, query, model))
  }
}
