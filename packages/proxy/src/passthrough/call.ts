import { GatewayError } from '@millrace/shared'

import type { Call, Features } from '../endpoints/endpoint.ts'
import { parametersOf, withModel, type PassedTarget } from './target.ts'

const MODEL: ReadonlySet<string> = new Set(['model'])
const NO_FEATURES: Features = { maxTokens: null, tools: false, images: false }
const NOTHING = Buffer.alloc(0)

/** A request that is passed on as it came: what there is to know of it stands in its query. */
export class PassedCall implements Call {
  /** As the query names it; empty: it does not. */
  readonly model: string
  readonly stream = false
  readonly includesUsage = false
  readonly text = ''
  readonly keepsState = false
  readonly bodyLength = 0
  readonly inputTokens = 0
  readonly maxOutputTokens = 0
  readonly user = null
  readonly conversation = null
  readonly endpoint: string
  private readonly query: string

  /** @throws GatewayError for a query that names several models: which of them would count is the provider's secret */
  constructor({ endpoint, query }: PassedTarget) {
    const models = parametersOf(query, MODEL).get('model') ?? []
    if (models.length > 1)
      throw new GatewayError('param_not_allowed', 'The query may name one "model" only.', { param: 'model' })
    this.endpoint = endpoint
    this.query = query
    this.model = models[0] ?? ''
  }

  features(): Features {
    return NO_FEATURES
  }

  canonical(): never {
    throw new Error('a request that passes through is not read')
  }

  members(names: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
    return parametersOf(this.query, names)
  }

  /** The query for the provider, its model named so. Nothing else of what the client wrote is changed. */
  queryFor(providerModel: string): string {
    return this.model === '' || this.model === providerModel ? this.query : withModel(this.query, providerModel)
  }

  encode(): Buffer {
    return NOTHING
  }

  observe(): never {
    throw new Error('an answer that passes through is not read')
  }

  read(): null {
    return null
  }

  renameModel(text: string): string {
    return text
  }

  release(): void {}

  remember(): boolean {
    return false
  }
}
