/** `GET /v1/models` and `/v1/models/{id}`: the models that a token can call (OpenAI's API reference, "Models"). */
import type { CompiledAccess } from '../access/access.ts'
import type { Sender } from '../request/handle.ts'
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
export function listModels({ token, project }: Sender, { names }: CompiledSnapshot): { object: 'list'; data: Model[] } {
  const visible = new Map([...names.global.exact, ...(names.own.get(project.id)?.exact ?? [])])
  const callable = [...visible.values()].filter(({ name, enabled }) => enabled && isAllowed(token.access, name))
  const data = callable.map((alias) => model(alias.name, alias))
  return { object: 'list', data: data.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

/**
 * @returns null if there is none of that name
 * @throws GatewayError if the token may not call it, whether or not there is one
 */
export function findModel({ token, project }: Sender, snapshot: CompiledSnapshot, id: string): Model | null {
  const refusal = token.access && token.access.modelRefusal(id)
  if (refusal) throw refusal
  const found = find(snapshot, project.id, id)
  return found?.alias.enabled ? model(id, found.alias) : null
}

function isAllowed(access: CompiledAccess | null, name: string): boolean {
  return access === null || access.allowsModel(name)
}

function model(id: string, { createdAt }: CompiledAlias): Model {
  return { id, object: 'model', created: createdAt, owned_by: 'millrace' }
}
