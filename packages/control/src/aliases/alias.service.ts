import { newId } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { idText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { Project } from '../projects/project.entity.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description } from '../revisions/difference.ts'
import { Alias } from './alias.entity.ts'
import { createAliasInput, updateAliasInput } from './alias.input.ts'
import type { CreateAliasInput, UpdateAliasInput } from './alias.type.ts'
import type { RouteService } from './route.service.ts'

/** Public model names. */
export class AliasService {
  readonly #database: Database
  readonly #routes: RouteService

  constructor(database: Database, routes: RouteService) {
    this.#database = database
    this.#routes = routes
  }

  /** @param project only its own; null: all aliases */
  async list(project: string | null): Promise<Alias[]> {
    const owner = readInput(idText.nullable(), project, 'project')
    return this.#database
      .em()
      .find(Alias, owner === null ? {} : { project: owner }, { orderBy: { name: 'asc', id: 'asc' } })
  }

  /** @param project null: the global one */
  async findByName(name: string, project: string | null): Promise<Alias | null> {
    return this.#database.em().findOne(Alias, { name, project: readInput(idText.nullable(), project, 'project') })
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
      enabled: input.enabled ?? true,
      strategy: input.strategy ?? 'WEIGHTED',
    })
    change.em.persist(alias)
    change.projectId = alias.project
    change.created('alias', alias.name, describe(alias))
    for (const [i, route] of input.routes.entries())
      await this.#routes.add(change, alias, route, i, `input.routes.${i}`)
    return alias
  }

  update(actor: Actor, id: string, given: UpdateAliasInput): Promise<Alias> {
    const input = readInput(updateAliasInput, given)
    return changeConfiguration(this.#database, actor, 'updateAlias', async (change) => {
      const alias = await requireRow(change.em, Alias, id, 'alias')
      const before = describe(alias)
      if (input.name !== undefined) alias.name = input.name
      if (input.enabled !== undefined) alias.enabled = input.enabled
      if (input.strategy !== undefined) alias.strategy = input.strategy
      change.projectId = alias.project
      change.updated('alias', alias.name, before, describe(alias))
      return alias
    })
  }

  /** With its routes. */
  remove(actor: Actor, id: string): Promise<boolean> {
    return changeConfiguration(this.#database, actor, 'deleteAlias', async (change) => {
      const alias = await requireRow(change.em, Alias, id, 'alias')
      change.em.remove(alias)
      change.projectId = alias.project
      change.deleted('alias', alias.name, describe(alias))
      return true
    })
  }
}

function describe({ name, project, enabled, strategy }: Alias): Description {
  return { name, project, enabled, strategy }
}
