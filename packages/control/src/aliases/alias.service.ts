import { newId } from '@millrace/shared'

import { ownersOf, type Scope } from '../access/scope.ts'
import { scoped } from '../access/scoped.ts'
import type { Database } from '../db/database.ts'
import { conflict } from '../graphql/errors.ts'
import { idText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { Project } from '../projects/project.entity.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { Alias } from './alias.entity.ts'
import { ALIAS_DEFAULTS, createAliasInput, updateAliasInput } from './alias.input.ts'
import type { CreateAliasInput, UpdateAliasInput } from './alias.type.ts'
import { mergedPolicies, NO_POLICIES } from './policies.input.ts'
import { Route } from './route.entity.ts'
import type { RouteService } from './route.service.ts'
import { isWildcard } from './wildcard.ts'

/** Public model names. */
export class AliasService {
  readonly #database: Database
  readonly #routes: RouteService

  constructor(database: Database, routes: RouteService) {
    this.#database = database
    this.#routes = routes
  }

  /** @param project only its own; null: all aliases */
  async list(scope: Scope, project: string | null): Promise<Alias[]> {
    const owner = readInput(idText.nullable(), project, 'project')
    const em = scoped(this.#database.em(), scope)
    return em.find(Alias, owner === null ? {} : { project: owner }, { orderBy: { name: 'asc', id: 'asc' } })
  }

  /** @param project null: the global one */
  async findByName(scope: Scope, name: string, project: string | null): Promise<Alias | null> {
    const em = scoped(this.#database.em(), scope)
    return em.findOne(Alias, { name, project: readInput(idText.nullable(), project, 'project') })
  }

  create(actor: Actor, input: CreateAliasInput): Promise<Alias> {
    return changeConfiguration(this.#database, actor, 'createAlias', (change) => this.add(change, input))
  }

  /** As {@link create}, within a change under way. */
  async add(change: Change, given: CreateAliasInput): Promise<Alias> {
    const input = readInput(createAliasInput, given)
    const project =
      input.project == null ? null : await requireRow(change.em, Project, input.project, 'project', 'input.project')
    const alias = Object.assign(new Alias(), {
      id: newId(),
      name: input.name,
      project: project?.id ?? null,
      enabled: input.enabled ?? ALIAS_DEFAULTS.enabled,
      strategy: input.strategy ?? ALIAS_DEFAULTS.strategy,
      ...mergedPolicies(NO_POLICIES, input),
      unknownParameters: input.unknownParameters ?? ALIAS_DEFAULTS.unknownParameters,
    })
    change.em.persist(alias)
    change.projectId = alias.project
    change.created(subjectOf(alias), describe(alias))
    for (const [i, route] of input.routes.entries())
      await this.#routes.add(change, alias, route, i, `input.routes.${i}`)
    return alias
  }

  update(actor: Actor, id: string, given: UpdateAliasInput): Promise<Alias> {
    const input = readInput(updateAliasInput, given)
    return changeConfiguration(this.#database, actor, 'updateAlias', async (change) => {
      const alias = await requireRow(change.em, Alias, id, 'alias')
      const before = describe(alias)
      if (input.name !== undefined) await rename(change, alias, input.name)
      if (input.enabled !== undefined) alias.enabled = input.enabled ?? ALIAS_DEFAULTS.enabled
      if (input.strategy !== undefined) alias.strategy = input.strategy ?? ALIAS_DEFAULTS.strategy
      Object.assign(alias, mergedPolicies(alias, input))
      if (input.unknownParameters !== undefined)
        alias.unknownParameters = input.unknownParameters ?? ALIAS_DEFAULTS.unknownParameters
      change.projectId = alias.project
      change.updated(subjectOf(alias), before, describe(alias))
      return alias
    })
  }

  /** With its routes. */
  remove(actor: Actor, id: string): Promise<boolean> {
    return changeConfiguration(this.#database, actor, 'deleteAlias', async (change) => {
      const alias = await requireRow(change.em, Alias, id, 'alias')
      change.deleted(subjectOf(alias), describe(alias))
      await this.#routes.removeAll(change, alias)
      change.em.remove(alias)
      change.projectId = alias.project
      return true
    })
  }
}

async function rename(change: Change, alias: Alias, name: string): Promise<void> {
  if (!isWildcard(name)) {
    const routes = await change.em.find(Route, { alias: alias.id })
    const one = routes.find(({ providerModel }) => providerModel !== null && isWildcard(providerModel))
    if (one) throw conflict(`its route to ${one.providerModel} needs the * of the alias's name`)
  }
  alias.name = name
}

function subjectOf({ id, name, project, createdAt }: Alias): Subject {
  const identity = { id, projectId: project, createdAt: createdAt.toISOString() }
  return { kind: 'alias', name, identity, owners: ownersOf(project) }
}

function describe(alias: Alias): Description {
  const { name, project, enabled, strategy, sticky, retry, hedge, cache, timeouts, unknownParameters } = alias
  return { name, project, enabled, strategy, sticky, retry, hedge, cache, timeouts, unknownParameters }
}
