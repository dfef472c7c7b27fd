import { ADMIN_KEY_PREFIX, digest, newId, newSecret, type NewSecret } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { conflict } from '../graphql/errors.ts'
import { nameText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { changeConfiguration, MILLRACE, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { AdminKey } from './admin-key.entity.ts'
import { Role } from './role.ts'

/** What is shown of a key: its public id, or a little of one that was made elsewhere. */
const SHOWN = /^ak-mr-[0-9A-Za-z]{12}(?=-)|^.{6}/

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

  list(): Promise<AdminKey[]> {
    return this.#database.em().findAll(AdminKey, { orderBy: { createdAt: 'asc', id: 'asc' } })
  }

  create(actor: Actor, name: string, role: Role): Promise<IssuedAdminKey> {
    return changeConfiguration(this.#database, actor, 'createAdminKey', (change) => this.add(change, name, role))
  }

  /**
   * As {@link create}, within a change under way.
   * No two keys that are good have one name: history tells by it who did something.
   * @param secret absent: a new one is made
   */
  async add(change: Change, given: string, role: Role, secret?: string): Promise<IssuedAdminKey> {
    const name = readInput(nameText, given, 'name')
    if (await isTaken(change, name)) throw conflict('there is an admin key of this name already')
    const made = secret === undefined ? newSecret(ADMIN_KEY_PREFIX) : madeOf(secret)
    const adminKey = Object.assign(new AdminKey(), {
      id: newId(),
      name,
      role,
      prefix: made.prefix,
      digest: made.digest,
      lastUsedAt: null,
      revokedAt: null,
    })
    change.em.persist(adminKey)
    change.created(subjectOf(adminKey), describe(adminKey))
    return { adminKey, secret: made.secret }
  }

  /** For good. Revoking it again changes nothing. */
  revoke(actor: Actor, id: string): Promise<AdminKey> {
    return changeConfiguration(this.#database, actor, 'revokeAdminKey', async (change) => {
      const adminKey = await requireRow(change.em, AdminKey, id, 'admin key')
      if (adminKey.revokedAt) return adminKey
      if (
        adminKey.role === Role.ADMIN &&
        (await change.em.count(AdminKey, { role: Role.ADMIN, revokedAt: null })) === 1
      ) {
        throw conflict('it is the last admin key: make another one first')
      }
      const before = describe(adminKey)
      adminKey.revokedAt = new Date()
      change.updated(subjectOf(adminKey), before, describe(adminKey))
      return adminKey
    })
  }
}

function madeOf(secret: string): NewSecret {
  return { secret, prefix: SHOWN.exec(secret)![0], digest: digest(secret) }
}

async function isTaken({ em }: Change, name: string): Promise<boolean> {
  if (name.toLowerCase() === MILLRACE.name) return true
  const [row] = await em.execute<{ taken: boolean }[]>(
    'select exists (select from admin_key where revoked_at is null and lower(name) = lower(?)) as taken',
    [name],
  )
  return row!.taken
}

function subjectOf({ id, name }: AdminKey): Subject {
  return { kind: 'adminKey', name, identity: { id } }
}

function describe({ name, role, prefix, revokedAt }: AdminKey): Description {
  return { name, role, prefix, revoked: revokedAt !== null }
}
