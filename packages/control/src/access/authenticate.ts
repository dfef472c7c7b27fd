/** Who a key belongs to. */
import { timingSafeEqual } from 'node:crypto'

import { digest } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { AdminKey } from './admin-key.entity.ts'
import type { Role } from './role.ts'
import { Scope } from './scope.ts'
import { shownOf } from './shown.ts'

/** No key has other characters. Hazard: a WebSocket may bring NUL, with which the database can't be asked. */
const BEARER = /^Bearer +([\x21-\x7e]+) *$/i
/** So that there is always one to compare with. */
const NOBODYS = { digest: digest('') }

/** Whose key an operation came with. */
export interface Viewer {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly scope: Scope
}

export class Authenticator {
  readonly #database: Database
  readonly #log: Logger

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /**
   * Null for no key, an unknown one, and a revoked one. A key is found by the part of it that may be shown, and compared
   * in constant time, so that how long it takes tells nothing of a key that is there.
   * @param authorization as the header: `Bearer …`
   */
  async viewer(authorization: string | null | undefined): Promise<Viewer | null> {
    const secret = BEARER.exec(authorization ?? '')?.[1]
    if (secret === undefined) return null
    const given = Buffer.from(digest(secret))
    const found = await this.#database.em().find(AdminKey, { prefix: shownOf(secret), revokedAt: null })
    const isSame = ({ digest: known }: { readonly digest: string }): boolean =>
      timingSafeEqual(given, Buffer.from(known))
    if (found.length === 0) isSame(NOBODYS)
    const [key] = found.filter(isSame)
    if (!key) return null
    void this.#touch(key)
    return { id: key.id, name: key.name, role: key.role, scope: new Scope(key.projects) }
  }

  /** Which of these keys are revoked. */
  async revoked(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.#database
      .em()
      .find(AdminKey, { id: { $in: [...ids] }, revokedAt: { $ne: null } }, { fields: ['id'] })
    return new Set(rows.map(({ id }) => id))
  }

  /** Notes that a key was used: to the minute, so that it is not one write for each request. Nobody waits for it. */
  async #touch({ id, lastUsedAt }: AdminKey): Promise<void> {
    if (lastUsedAt && Date.now() - lastUsedAt.getTime() < 60_000) return
    try {
      await this.#database
        .em()
        .execute(
          "update admin_key set last_used_at = now() where id = ? and coalesce(last_used_at, '-infinity') < now() - interval '1 minute'",
          [id],
        )
    } catch (error) {
      this.#log.debug({ err: error }, 'could not note the use of an admin key')
    }
  }
}
