import { ADMIN_KEY_PREFIX, digest, newId, newSecret, type NewSecret } from '@millrace/shared'
import * as z from 'zod'

import { NOBODY } from '../audit/refusals.ts'
import type { Database } from '../db/database.ts'
import { badInput, conflict, notFound } from '../graphql/errors.ts'
import { idText, nameText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { Project } from '../projects/project.entity.ts'
import { changeConfiguration, MILLRACE, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { AdminKey } from './admin-key.entity.ts'
import { Role } from './role.ts'
import type { Scope } from './scope.ts'
import { scoped } from './scoped.ts'
import { shownOf } from './shown.ts'

const MOST_PROJECTS = 1_000
const boundTo = z
  .array(idText, 'must be a list of ids')
  .min(1, 'must not be empty; null means every project')
  .max(MOST_PROJECTS, `must be at most ${MOST_PROJECTS}`)
  .nullable()

export interface NewAdminKey {
  readonly name: string
  readonly role: Role
  /** Those that it is bound to; null: none. */
  readonly projects?: readonly string[] | null
}

/** A new key, and its secret, which is kept nowhere. */
export interface IssuedAdminKey {
  readonly adminKey: AdminKey
  readonly secret: string
}

/** Keys to this API. */
export class AdminKeyService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Those that a key sees: of what is bound, only what is bound to nothing but its own projects. */
  list(scope: Scope): Promise<AdminKey[]> {
    return scoped(this.#database.em(), scope).findAll(AdminKey, { orderBy: { createdAt: 'asc', id: 'asc' } })
  }

  create(actor: Actor, input: NewAdminKey): Promise<IssuedAdminKey> {
    return changeConfiguration(this.#database, actor, 'createAdminKey', (change) => this.add(change, input))
  }

  /**
   * As {@link create}, within a change under way.
   * No two keys that are good have one name: history tells by it who did something.
   * @param secret absent: a new one is made
   */
  async add(change: Change, { role, ...given }: NewAdminKey, secret?: string): Promise<IssuedAdminKey> {
    const name = readInput(nameText, given.name, 'name')
    const projects = await requireProjects(change, readInput(boundTo, given.projects ?? null, 'projects'))
    if (role === Role.PROXY && projects !== null)
      throw badInput('projects', 'must be absent: a proxy serves every project')
    const made = secret === undefined ? newSecret(ADMIN_KEY_PREFIX) : madeOf(secret)
    const adminKey = Object.assign(new AdminKey(), {
      id: newId(),
      name,
      role,
      projects,
      prefix: made.prefix,
      digest: made.digest,
      lastUsedAt: null,
      revokedAt: null,
    })
    change.em.persist(adminKey)
    change.created(subjectOf(adminKey), describe(adminKey))
    if (await isTaken(change, name)) throw conflict('there is an admin key of this name already')
    return { adminKey, secret: made.secret }
  }

  /** For good. Revoking it again changes nothing. */
  revoke(actor: Actor, id: string): Promise<AdminKey> {
    return changeConfiguration(this.#database, actor, 'revokeAdminKey', async (change) => {
      const adminKey = await requireRow(change.em, AdminKey, id, 'admin key')
      change.scope.requireOwn(adminKey.projects)
      if (adminKey.revokedAt) return adminKey
      if (await isLast(change, adminKey)) throw conflict('it is the last admin key: make another one first')
      const before = describe(adminKey)
      adminKey.revokedAt = new Date()
      change.updated(subjectOf(adminKey), before, describe(adminKey))
      return adminKey
    })
  }
}

function madeOf(secret: string): NewSecret {
  return { secret, prefix: shownOf(secret), digest: digest(secret) }
}

/** @throws GraphQLError NOT_FOUND for one that there is not, or that the actor doesn't see */
async function requireProjects({ em }: Change, ids: readonly string[] | null): Promise<string[] | null> {
  if (ids === null) return null
  const found = await em.find(Project, { id: { $in: [...ids] } }, { fields: ['id'] })
  const known = new Set(found.map(({ id }) => id))
  const missing = ids.findIndex((id) => !known.has(id))
  if (missing !== -1) throw notFound('project', `projects.${missing}`)
  return [...known]
}

/** Of those that change what is global, and make other keys for that. */
async function isLast({ em }: Change, { role, projects }: AdminKey): Promise<boolean> {
  if (role !== Role.ADMIN || projects !== null) return false
  return (await em.count(AdminKey, { role, projects: null, revokedAt: null })) === 1
}

async function isTaken({ em }: Change, name: string): Promise<boolean> {
  if ([MILLRACE.name, NOBODY].includes(name.toLowerCase())) return true
  const [row] = await em.execute<{ taken: boolean }[]>(
    'select exists (select from admin_key where revoked_at is null and lower(name) = lower(?)) as taken',
    [name],
  )
  return row!.taken
}

function subjectOf({ id, name, projects }: AdminKey): Subject {
  return { kind: 'adminKey', name, identity: { id }, owners: projects }
}

function describe({ name, role, projects, prefix, revokedAt }: AdminKey): Description {
  return { name, role, projects, prefix, revoked: revokedAt !== null }
}
