/** `GET /v1/models` and `/v1/models/{id}`: the models that a project's tokens can call (OpenAI's API reference, "Models"). */
import { find } from '../routing/found.ts'
import type { CompiledAlias, CompiledSnapshot } from '../snapshot/compiled.ts'

export interface Model {
  readonly id: string
  readonly object: 'model'
  /** Seconds since the epoch. */
  readonly created: number
  readonly owned_by: string
}

/** What has a name of its own: what a wildcard or a provider serves besides can be called, but not listed. */
export function listModels({ names }: CompiledSnapshot, projectId: string): { object: 'list'; data: Model[] } {
  const visible = new Map([...names.global.exact, ...(names.own.get(projectId)?.exact ?? [])])
  const enabled = [...visible.values()].filter((alias) => alias.enabled)
  const data = enabled.map((alias) => model(alias.name, alias))
  return { object: 'list', data: data.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

/** @returns null if there is none of that name */
export function findModel(snapshot: CompiledSnapshot, projectId: string, id: string): Model | null {
  const found = find(snapshot, projectId, id)
  return found?.alias.enabled ? model(id, found.alias) : null
}

function model(id: string, { createdAt }: CompiledAlias): Model {
  return { id, object: 'model', created: createdAt, owned_by: 'millrace' }
}
