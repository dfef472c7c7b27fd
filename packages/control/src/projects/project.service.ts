import { flag, newId } from '@millrace/shared'
import * as z from 'zod'

import type { Database } from '../db/database.ts'
import { nameText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { Project } from './project.entity.ts'
import type { CreateProjectInput, UpdateProjectInput } from './project.type.ts'

const createInput = z.object({ name: nameText })
const updateInput = z.object({ name: nameText.optional(), active: flag.optional() })

/** Tenants. They are deactivated, never removed: records name them. */
export class ProjectService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  list(): Promise<Project[]> {
    return this.#database.em().findAll(Project, { orderBy: { name: 'asc' } })
  }

  create(actor: Actor, input: CreateProjectInput): Promise<Project> {
    return changeConfiguration(this.#database, actor, 'createProject', (change) => this.add(change, input))
  }

  /** As {@link create}, within a change under way. */
  async add(change: Change, given: CreateProjectInput): Promise<Project> {
    const { name } = readInput(createInput, given)
    const project = Object.assign(new Project(), { id: newId(), name, active: true, deactivatedAt: null })
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
      if (input.active !== undefined && input.active !== project.active) {
        project.active = input.active
        project.deactivatedAt = input.active ? null : new Date()
      }
      change.projectId = project.id
      change.updated(subjectOf(project), before, describe(project))
      return project
    })
  }
}

function subjectOf({ id, name }: Project): Subject {
  return { kind: 'project', name, identity: { id } }
}

function describe({ name, active }: Project): Description {
  return { name, active }
}
