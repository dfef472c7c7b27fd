/** `GET /v1/models` and `/v1/models/{id}`: the aliases that a project's tokens can call (OpenAI's API reference, "Models"). */
import { findAlias, type CompiledAlias, type CompiledProject } from '../snapshot/compiled.ts'

export interface Model {
  readonly id: string
  readonly object: 'model'
  /** Seconds since the epoch. */
  readonly created: number
  readonly owned_by: string
}

export function listModels(project: CompiledProject): { object: 'list'; data: Model[] } {
  const visible = new Map([...project.globalAliases, ...project.ownAliases])
  const enabled = [...visible.values()].filter((alias) => alias.enabled)
  return { object: 'list', data: enabled.map(model).sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

/** @returns null if there is none of that name */
export function findModel(project: CompiledProject, id: string): Model | null {
  const alias = findAlias(project, id)
  return alias?.enabled ? model(alias) : null
}

function model({ name, createdAt }: CompiledAlias): Model {
  return { id: name, object: 'model', created: createdAt, owned_by: 'millrace' }
}
