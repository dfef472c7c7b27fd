/** `GET /v1/models` and `/v1/models/{id}` as Anthropic's API has them (its API reference, "List Models"). */
import type { Sender } from '../request/handle.ts'
import { find } from '../routing/found.ts'
import type { CompiledSnapshot } from '../snapshot/compiled.ts'
import { callable, callableModels, type CallableModel } from './callable-models.ts'

export interface AnthropicModel {
  readonly type: 'model'
  readonly id: string
  readonly display_name: string
  /** RFC 3339. */
  readonly created_at: string
}

export interface AnthropicModels {
  readonly data: readonly AnthropicModel[]
  readonly has_more: false
  readonly first_id: string | null
  readonly last_id: string | null
}

/** All of them, on one page. */
export function listAnthropicModels(sender: Sender, snapshot: CompiledSnapshot): AnthropicModels {
  const data = callableModels(sender, snapshot).map(modelOf)
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
}

/**
 * @returns null if there is none of that name
 * @throws GatewayError if the token may not call it, whether or not there is one
 */
export function findAnthropicModel(
  { token, project }: Sender,
  snapshot: CompiledSnapshot,
  id: string,
): AnthropicModel | null {
  const refusal = token.access && token.access.modelRefusal(id)
  if (refusal) throw refusal
  const found = find(snapshot, project.id, id)
  return found?.alias.enabled ? modelOf(callable(id, found)) : null
}

function modelOf({ id, createdAt }: CallableModel): AnthropicModel {
  return { type: 'model', id, display_name: id, created_at: new Date(createdAt * 1000).toISOString() }
}
