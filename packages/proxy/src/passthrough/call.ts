import { GatewayError } from '@millrace/shared'

import type { Call, Features } from '../endpoints/endpoint.ts'
import { keepsState } from './rules.ts'
import { parametersOf, withModel, type PassedTarget } from './target.ts'

const MODEL: ReadonlySet<string> = new Set(['model'])
const NO_FEATURES: Features = { maxTokens: null, tools: false, images: false }
const NOTHING = Buffer.alloc(0)

/** A request that is passed on as it came: what there is to know of it stands in its query. */
export class PassedCall implements Call {
  /** As the body names it, else the query; empty: neither does. */
  readonly model: string
  readonly stream: boolean = false
  readonly includesUsage = false
  readonly text: string = ''
  /** Whether it concerns what is kept at the provider. */
  readonly keepsState: boolean
  readonly unread: boolean
  readonly bodyLength: number = 0
  /** What a path takes is not known here: only what its answer says was used counts. */
  readonly inputTokens = 0
  readonly maxOutputTokens = 0
  readonly user: string | null = null
  readonly conversation: string | null = null
  readonly endpoint: string
  /** As the query names it; empty: it does not. */
  protected readonly queryModel: string
  private readonly query: string

  /**
   * @param unread whether it has a body that is not read
   * @throws GatewayError for a query that names several models: which of them would count is the provider's secret
   */
  constructor({ endpoint, query }: PassedTarget, method: string, unread = false) {
    const models = parametersOf(query, MODEL).get('model') ?? []
    if (models.length > 1)
      throw new GatewayError('param_not_allowed', 'The query may name one "model" only.', { param: 'model' })
    this.endpoint = endpoint
    this.query = query
    this.queryModel = models[0] ?? ''
    this.model = this.queryModel
    this.keepsState = keepsState(method, endpoint)
    this.unread = unread
  }

  features(): Features {
    return NO_FEATURES
  }

  canonical(): never {
    throw new Error('a request that passes through is not translated')
  }

  members(names: ReadonlySet<string>): ReadonlyMap<string, readonly unknown[]> {
    return parametersOf(this.query, names)
  }

  /** The query for the provider, its model named so. Nothing else of what the client wrote is changed. */
  queryFor(providerModel: string): string {
    return this.queryModel === '' || this.queryModel === providerModel
      ? this.query
      : withModel(this.query, providerModel)
  }

  /** Empty: it has none, or none that is read. */
  encode(_providerModel: string): Buffer {
    return NOTHING
  }

  observe(): never {
    throw new Error('an answer that passes through is not observed')
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
