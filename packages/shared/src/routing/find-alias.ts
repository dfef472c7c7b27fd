/** What a model's name means to a project: one of its aliases, a global one, or a provider addressed by its own name. */

export interface NamedAlias {
  /** One that ends in `*` serves every model of that beginning. */
  readonly name: string
  /** Null: every project's. */
  readonly projectId: string | null
}

export interface NamedProvider {
  readonly name: string
  /** Whether it may be asked for as NAME/MODEL. */
  readonly direct: boolean
}

/** The aliases of one owner. */
interface Names<A> {
  readonly exact: Map<string, A>
  /** By what stands before the `*`. */
  readonly wildcards: Map<string, A>
  /** Of those beginnings, the longest first. */
  readonly lengths: readonly number[]
}

/** A configuration's names, built once and never changed. */
export interface AliasIndex<A, P> {
  readonly global: Names<A>
  readonly own: ReadonlyMap<string, Names<A>>
  /** Those that may be asked for by name. */
  readonly direct: ReadonlyMap<string, P>
  /** Characters of the longest name among them. */
  readonly longestDirect: number
}

export interface FoundAlias<A> {
  readonly alias: A
  /** What a provider is asked for where its route names no model. */
  readonly model: string
  /** What the `*` of the alias's name stood for; null if it has none. */
  readonly matched: string | null
}

export interface FoundProvider<P> {
  readonly provider: P
  /** What it is asked for. */
  readonly model: string
}

/** Disabled aliases too: one stands before what it would otherwise have hidden. */
export function indexAliases<A extends NamedAlias, P extends NamedProvider>(
  aliases: Iterable<A>,
  providers: Iterable<P>,
): AliasIndex<A, P> {
  const byOwner = Map.groupBy(aliases, ({ projectId }) => projectId)
  const own = new Map<string, Names<A>>()
  for (const [owner, group] of byOwner) if (owner !== null) own.set(owner, namesOf(group))
  const direct = new Map<string, P>()
  for (const provider of providers) if (provider.direct) direct.set(provider.name, provider)
  const longestDirect = Math.max(0, ...Array.from(direct.keys(), ({ length }) => length))
  return { global: namesOf(byOwner.get(null) ?? []), own, direct, longestDirect }
}

/**
 * An exact name stands before a wildcard, the longest beginning before others, and a project's own alias before a global
 * one that fits as well. A provider of its own name comes last, the longest name first.
 * @param projectId null: who belongs to none
 */
export function findAlias<A, P>(
  { global, own, direct, longestDirect }: AliasIndex<A, P>,
  projectId: string | null,
  model: string,
): FoundAlias<A> | FoundProvider<P> | null {
  const mine = projectId === null ? undefined : own.get(projectId)
  const exact = mine?.exact.get(model) ?? global.exact.get(model)
  if (exact !== undefined) return { alias: exact, model, matched: null }
  const length = longest(global, model)
  const ownLength = mine === undefined ? -1 : longest(mine, model)
  if (ownLength >= 0 && ownLength >= length) return beginning(mine!, model, ownLength)
  if (length >= 0) return beginning(global, model, length)
  return findDirect(direct, longestDirect, model)
}

/**
 * What a route asks its provider for.
 * @param providerModel the route's own
 * @param model what is asked for where the route names nothing
 * @param matched what the `*` of the alias's name stood for
 */
export function providerModelOf(providerModel: string | null, model: string, matched: string | null): string {
  if (providerModel === null) return model
  return matched !== null && providerModel.endsWith('*') ? providerModel.slice(0, -1) + matched : providerModel
}

function namesOf<A extends NamedAlias>(aliases: readonly A[]): Names<A> {
  const exact = new Map<string, A>()
  const wildcards = new Map<string, A>()
  for (const alias of aliases) {
    if (alias.name.endsWith('*')) wildcards.set(alias.name.slice(0, -1), alias)
    else exact.set(alias.name, alias)
  }
  const lengths = [...new Set(Array.from(wildcards.keys(), ({ length }) => length))].sort((a, b) => b - a)
  return { exact, wildcards, lengths }
}

/** The length of the longest beginning that the model has; -1 if it has none. */
function longest<A>({ wildcards, lengths }: Names<A>, model: string): number {
  for (const length of lengths) {
    if (length <= model.length && wildcards.has(model.slice(0, length))) return length
  }
  return -1
}

function beginning<A>({ wildcards }: Names<A>, model: string, length: number): FoundAlias<A> {
  return { alias: wildcards.get(model.slice(0, length))!, model, matched: model.slice(length) }
}

function findDirect<P>(direct: ReadonlyMap<string, P>, longestName: number, model: string): FoundProvider<P> | null {
  if (direct.size === 0) return null
  // A name may hold slashes itself; what follows it must not be empty.
  const last = Math.min(longestName, model.length - 2)
  for (let slash = model.lastIndexOf('/', last); slash > 0; slash = model.lastIndexOf('/', slash - 1)) {
    const provider = direct.get(model.slice(0, slash))
    if (provider !== undefined) return { provider, model: model.slice(slash + 1) }
  }
  return null
}
