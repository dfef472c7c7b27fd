import { flag, newId } from '@millrace/shared'
import * as z from 'zod'

import type { Scope } from '../access/scope.ts'
import { scoped } from '../access/scoped.ts'
import type { Database } from '../db/database.ts'
import { nameText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { limitedInput, mergedLimited, UNLIMITED } from '../limits/limits.input.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { Project } from './project.entity.ts'
import type { CreateProjectInput, UpdateProjectInput } from './project.type.ts'

const createInput = z.object({ name: nameText, ...limitedInput })
const updateInput = z.object({ name: nameText.optional(), active: flag.nullish(), ...limitedInput })

/** Unless it is set, and again once null was given for it. */
const ACTIVE = true

/** Tenants. They are deactivated, never removed: records name them. */
export class ProjectService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  list(scope: Scope): Promise<Project[]> {
    return scoped(this.#database.em(), scope).findAll(Project, { orderBy: { name: 'asc' } })
  }

  create(actor: Actor, input: CreateProjectInput): Promise<Project> {
    return changeConfiguration(this.#database, actor, 'createProject', (change) => this.add(change, input))
  }

  /** As {@link create}, within a change under way. */
  async add(change: Change, given: CreateProjectInput): Promise<Project> {
    const input = readInput(createInput, given)
    const project = Object.assign(new Project(), {
      id: newId(),
      name: input.name,
      active: ACTIVE,
      deactivatedAt: null,
      ...mergedLimited(UNLIMITED, input),
    })
    change.em.persist(project)
    change.projectId = project.id
    change.created(subjectOf(project), describe(project))
    return project
  }

  update(actor: Actor, id: string, given: UpdateProjectInput): Promise<Project> {
    const input = readInput(updateInput, given)
    return changeConfiguration(this.#database, actor, 'updateProject', async (change) => {
      const project = await requireRow(change.em, Project, id, 'project')
      const before = describe(project)
      if (input.name !== undefined) project.name = input.name
      if (input.active !== undefined) activate(project, input.active ?? ACTIVE)
      Object.assign(project, mergedLimited(project, input))
      change.projectId = project.id
      change.updated(subjectOf(project), before, describe(project))
      return project
    })
  }
}

function activate(project: Project, active: boolean): void {
  if (active === project.active) return
  project.active = active
  project.deactivatedAt = active ? null : new Date()
}

function subjectOf({ id, name }: Project): Subject {
  return { kind: 'project', name, identity: { id }, owners: [id] }
}

function describe({ name, active, limits, budget }: Project): Description {
  return { name, active, limits, budget }
}
