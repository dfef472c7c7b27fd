/** `GET /v1/models` and `/v1/models/{id}`: the models that a token can call (OpenAI's API reference, "Models"). */
import type { Sender } from '../request/handle.ts'
import { find } from '../routing/found.ts'
import type { CompiledSnapshot } from '../snapshot/compiled.ts'
import { callable, callableModels, type CallableModel } from './callable-models.ts'

export interface Model {
  readonly id: string
  readonly object: 'model'
  /** Seconds since the epoch. */
  readonly created: number
  readonly owned_by: string
}

export function listModels(sender: Sender, snapshot: CompiledSnapshot): { object: 'list'; data: Model[] } {
  return { object: 'list', data: callableModels(sender, snapshot).map(modelOf) }
}

/**
 * @returns null if there is none of that name
 * @throws GatewayError if the token may not call it, whether or not there is one
 */
export function findModel({ token, project }: Sender, snapshot: CompiledSnapshot, id: string): Model | null {
  const refusal = token.access && token.access.modelRefusal(id)
  if (refusal) throw refusal
  const found = find(snapshot, project.id, id)
  return found?.alias.enabled ? modelOf(callable(id, found)) : null
}

function modelOf({ id, createdAt, ownedBy }: CallableModel): Model {
  return { id, object: 'model', created: createdAt, owned_by: ownedBy }
}
