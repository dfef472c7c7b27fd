import { chatConversation, chatFeatures, chatUser, GatewayError } from '@millrace/shared'

import type { JsonObject } from '../canonical/values.ts'
import type { Features } from '../endpoints/endpoint.ts'
import { parseBody, valuesAt } from '../endpoints/json-call.ts'
import { findMembers, latin1Literal, replaceAll, splice, type Range } from '../stream/json.ts'
import { PassedCall } from './call.ts'
import { keepsState } from './rules.ts'
import type { PassedTarget } from './target.ts'

/** What a response goes on from that the provider has kept. */
const KEPT = ['previous_response_id', 'conversation'] as const
const READ: ReadonlySet<string> = new Set(['model', ...KEPT])
const NONE: readonly Range[] = []
const NOTHING = Buffer.alloc(0)

/** One with a JSON body: of what stands in it the model counts, and what conditions and access rules ask for. */
export class PassedJsonCall extends PassedCall {
  override readonly model: string
  override readonly stream: boolean
  override readonly keepsState: boolean
  override readonly bodyLength: number
  override readonly user: string | null
  override readonly conversation: string | null
  override text: string
  private body: Buffer
  /** Where {@link model} stands in the body; empty: it does not. */
  private readonly modelAt: readonly Range[]
  private readonly featuresRead: Features

  /** @throws GatewayError for a body that is no JSON object, or does not name one model */
  constructor(target: PassedTarget, method: string, body: Buffer) {
    super(target, method)
    const text = body.toString('latin1')
    const request = parseBody(body, text)
    const read = findMembers(text, READ)
    const modelAt = read?.get('model') ?? NONE
    const model = modelOf(request)
    // Of several, another parser may take another than was looked at here.
    if (model === '' && modelAt.length > 1)
      throw new GatewayError('param_not_allowed', 'The body may name one "model" only.', { param: 'model' })
    if (model !== '' && this.queryModel !== '' && model !== this.queryModel)
      throw new GatewayError('param_not_allowed', 'Body and query name different models.', { param: 'model' })
    this.body = body
    this.text = text
    this.bodyLength = body.length
    this.modelAt = model === '' ? NONE : modelAt
    this.model = model || this.queryModel
    this.stream = request['stream'] === true || request['stream_format'] === 'sse'
    this.keepsState = keepsState(method, target.endpoint) || goesOn(target, text, read)
    this.user = chatUser(request)
    this.conversation = chatConversation(request)
    this.featuresRead = chatFeatures(request)
  }

  override features(): Features {
    return this.featuresRead
  }

  /** Those of body and query. */
  override members(names: ReadonlySet<string>): ReadonlyMap<string, readonly unknown[]> {
    const values = new Map<string, readonly unknown[]>(super.members(names))
    for (const [name, ranges] of findMembers(this.text, names) ?? [])
      values.set(name, [...(values.get(name) ?? []), ...valuesAt(this.text, ranges)])
    return values
  }

  override encode(providerModel: string): Buffer {
    const { modelAt } = this
    if (modelAt.length === 0 || (providerModel === this.model && modelAt.length === 1)) return this.body
    return Buffer.from(splice(this.text, replaceAll(modelAt, latin1Literal(providerModel))), 'latin1')
  }

  override release(): void {
    this.body = NOTHING
    this.text = ''
  }
}

function modelOf({ model }: JsonObject): string {
  if (model === undefined || model === null) return ''
  if (typeof model === 'string') return model
  throw new GatewayError('param_not_allowed', '"model" has to be a string.', { param: 'model' })
}

/** Whether it goes on from a response that the provider has kept, as any parser may read it. */
function goesOn({ endpoint }: PassedTarget, text: string, read: ReadonlyMap<string, readonly Range[]> | null): boolean {
  if (!endpoint.startsWith('/v1/responses/')) return false
  return KEPT.some((name) => read?.get(name)?.some(({ start, end }) => text.slice(start, end) !== 'null'))
}
