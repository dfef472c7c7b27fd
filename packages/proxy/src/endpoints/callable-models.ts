/** What a token can call by name, as far as names are known: what aliases with a `*` and providers serve is known by the price list. */
import { knownModels } from '@millrace/shared'

import type { Sender } from '../request/handle.ts'
import { find, type Found } from '../routing/found.ts'
import type { CompiledAlias, CompiledProvider, CompiledRoute, CompiledSnapshot } from '../snapshot/compiled.ts'

export interface CallableModel {
  readonly id: string
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly ownedBy: string
}

/** In the order of their names, each once. */
export function callableModels({ token, project }: Sender, snapshot: CompiledSnapshot): CallableModel[] {
  const { access } = token
  const models: CallableModel[] = []
  for (const id of namesFor(snapshot, project.id)) {
    if (access !== null && !access.allowsModel(id)) continue
    const found = find(snapshot, project.id, id)
    if (found !== null && canBeCalled(found)) models.push(callable(id, found))
  }
  return models.sort((a, b) => (a.id < b.id ? -1 : 1))
}

export function callable(id: string, { alias, matched }: Found): CallableModel {
  const ofProvider = matched !== null || alias.id === null
  return { id, createdAt: alias.createdAt, ownedBy: ofProvider ? ownerOf(alias) : GATEWAY }
}

const GATEWAY = 'millrace'

/** The one provider whose models they are. */
function ownerOf({ routes }: CompiledAlias): string {
  const [first, ...others] = routes
  return first !== undefined && others.every(({ provider }) => provider.id === first.provider.id)
    ? first.provider.name
    : GATEWAY
}

type Names = CompiledSnapshot['names']

/** By what snapshots share as long as it does not change. */
const global = new WeakMap<Names, ReadonlySet<string>>()

/** Names that may stand for something, of a project's own aliases too. */
function namesFor({ names }: CompiledSnapshot, projectId: string): ReadonlySet<string> {
  const own = names.own.get(projectId)
  const everyones = globalNames(names)
  if (own === undefined) return everyones
  const all = new Set(everyones)
  const routed = routedModels(names)
  for (const name of own.exact.keys()) all.add(name)
  for (const [beginning, alias] of own.wildcards) addServed(all, beginning, alias, routed)
  return all
}

function globalNames(names: Names): ReadonlySet<string> {
  let all = global.get(names)
  if (all === undefined) global.set(names, (all = findGlobalNames(names)))
  return all
}

function findGlobalNames(names: Names): ReadonlySet<string> {
  const all = new Set(names.global.exact.keys())
  const routed = routedModels(names)
  for (const [beginning, alias] of names.global.wildcards) addServed(all, beginning, alias, routed)
  for (const [name, provider] of names.direct) addDirect(all, name, provider, routed)
  return all
}

/** The models that routes name, by the ids of their providers. What one project calls its own is no other's business. */
type Routed = ReadonlyMap<string, readonly string[]>

function routedModels({ global: { exact, wildcards } }: Names): Routed {
  const routed = new Map<string, string[]>()
  for (const { routes } of [...exact.values(), ...wildcards.values()]) {
    for (const { provider, providerModel } of routes) {
      if (providerModel === null || providerModel.endsWith('*')) continue
      const models = routed.get(provider.id)
      if (models === undefined) routed.set(provider.id, [providerModel])
      else models.push(providerModel)
    }
  }
  return routed
}

function modelsOf(provider: CompiledProvider, routed: Routed): readonly string[] {
  const { access } = provider
  const models = [...knownModels(provider), ...(routed.get(provider.id) ?? [])]
  return access === null ? models : models.filter((model) => access.allowsModel(model))
}

/** What an alias with a `*` serves, or, where nothing of that is known, its own name. */
function addServed(all: Set<string>, beginning: string, { name, routes }: CompiledAlias, routed: Routed): void {
  let any = false
  for (const { enabled, provider, providerModel } of routes) {
    const asked = askedBeginning(beginning, providerModel)
    if (!enabled || asked === null) continue
    for (const model of modelsOf(provider, routed)) {
      if (!model.startsWith(asked) || model.length === asked.length) continue
      all.add(beginning + model.slice(asked.length))
      any = true
    }
  }
  if (!any) all.add(name)
}

/** How the names begin that a provider is asked for; null: it is always asked for the same. */
function askedBeginning(beginning: string, providerModel: CompiledRoute['providerModel']): string | null {
  if (providerModel === null) return beginning
  return providerModel.endsWith('*') ? providerModel.slice(0, -1) : null
}

function addDirect(all: Set<string>, name: string, provider: CompiledProvider, routed: Routed): void {
  if (!canBeAsked(provider.directAlias!)) return
  const models = modelsOf(provider, routed)
  for (const model of models) all.add(`${name}/${model}`)
  if (models.length === 0) all.add(`${name}/*`)
}

/** A name of its own stands for itself, whatever its routes are. */
function canBeCalled({ alias, matched }: Found): boolean {
  return alias.enabled && (matched === null || canBeAsked(alias))
}

function canBeAsked({ routes }: CompiledAlias): boolean {
  return routes.some(({ enabled }) => enabled)
}
