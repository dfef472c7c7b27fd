/** Keys in the environment that only a first start would have taken up. */
import { digest, type Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { Role } from '../access/role.ts'
import type { Database } from '../db/database.ts'

/** Says of each key that is set whether this database takes it. */
export async function warnOfUnknownKeys(database: Database, settings: Settings, log: Logger): Promise<void> {
  const given = [
    ['MILLRACE_ADMIN_KEY', settings.MILLRACE_ADMIN_KEY, Role.ADMIN],
    ['MILLRACE_PROXY_KEY', settings.MILLRACE_PROXY_KEY, Role.PROXY],
  ] as const
  for (const [variable, secret, role] of given) {
    if (secret === undefined) continue
    const [row] = await database
      .em()
      .execute<{ known: boolean }[]>(
        'select exists (select from admin_key where digest = ? and role = ? and revoked_at is null) as known',
        [digest(secret), role],
      )
    if (row!.known) continue
    log.warn(
      { variable },
      `${variable} opens nothing: it is taken up at a first start only, and this database had its own; make a key of role ${role} with createAdminKey, and set that`,
    )
  }
}
