/** Which master key the database's upstream keys are sealed under: the database remembers it, and all processes keep to it. */
import { SettingsError, type MasterKey } from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'
import { CHANGE_LOCK } from '../db/locks.ts'
import { conflict } from '../graphql/errors.ts'
import type { MasterKeys } from './master-key.ts'

/**
 * Makes a master key the current one, if the database has none, or if the one that it has is being left. From then on
 * nothing is sealed under another.
 * @throws SettingsError if it can't be: something would be sealed under a key that this process doesn't have
 */
export function claimMasterKey(database: Database, { current, previous }: MasterKeys): Promise<void> {
  return database.em().transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?)', [CHANGE_LOCK])
    const known = await em.execute<{ id: string; current: boolean }[]>('select id, current from master_key')
    const before = known.find((one) => one.current)?.id
    if (before !== undefined && before !== current.id) {
      if (before !== previous?.id)
        throw refused(
          current,
          before,
          known.some(({ id }) => id === current.id),
        )
      await em.execute('update master_key set current = false')
    }
    await em.execute('insert into master_key (id) values (?) on conflict (id) do update set current = true', [
      current.id,
    ])
    for (const { id, count } of await sealedUnder(em))
      if (id !== current.id && id !== previous?.id) throw unfinished(id, count)
    await forgetUnused(em)
  })
}

/**
 * @param em in a change of configuration, so that the key can't be changed meanwhile
 * @throws GraphQLError CONFLICT if it is not the current one any more: proxies would not open what is sealed under it
 */
export async function requireCurrent(em: Em, { id }: MasterKey): Promise<void> {
  const [row] = await em.execute<{ is: boolean }[]>(
    'select exists (select from master_key where id = ? and current) as is',
    [id],
  )
  if (!row!.is)
    throw conflict('the master key was changed: this control plane has to be started again with the new one')
}

/** How many upstream keys are sealed under which master key. */
export function sealedUnder(em: Em): Promise<{ id: string; count: number }[]> {
  return em.execute<{ id: string; count: number }[]>(
    `select split_part(sealed, '.', 2) as id, count(*)::integer as count
     from provider_credential where sealed is not null group by 1`,
  )
}

/** Forgets the keys that were left, once nothing is sealed under them. */
async function forgetUnused(em: Em): Promise<void> {
  await em.execute(
    `delete from master_key where not current and not exists (
       select from provider_credential where split_part(sealed, '.', 2) = master_key.id
     )`,
  )
}

function refused(current: MasterKey, before: string, wasCurrent: boolean): SettingsError {
  const found = `this database's upstream keys are sealed under another master key (${before}, not ${current.id})`
  const how = wasCurrent
    ? 'it has been changed since: set the new one'
    : 'to change it, set MILLRACE_MASTER_KEY_PREVIOUS to the one before, and run npm run rekey'
  return new SettingsError('MILLRACE_MASTER_KEY', `${found}; ${how}`)
}

function unfinished(id: string, count: number): SettingsError {
  return new SettingsError(
    'MILLRACE_MASTER_KEY_PREVIOUS',
    `${count} of this database's upstream keys are still sealed under the master key before (${id}): set it to that one, and run npm run rekey`,
  )
}
