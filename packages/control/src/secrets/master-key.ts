/** The master key: from the environment, else from the data folder, where it is made once. */
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { newId, newMasterKey, parseMasterKey, SettingsError, type MasterKey } from '@millrace/shared'

import type { Database } from '../db/database.ts'

/**
 * The key in the data folder's `master.key`, made if it is not there. Several processes may do so at once: one makes it.
 * @throws SettingsError if the file can't be used
 */
export function folderMasterKey(dataDir: string): MasterKey {
  const path = join(dataDir, 'master.key')
  try {
    // Looked for first: the folder may be one that cannot be written.
    if (!existsSync(path)) makeKey(path)
    return parseMasterKey(readFileSync(path, 'utf8').trim())
  } catch (error) {
    throw new SettingsError(
      'MILLRACE_MASTER_KEY',
      `is not set, and ${path} cannot be used: ${(error as Error).message}`,
    )
  }
}

function makeKey(path: string): void {
  const draft = `${path}.${newId()}`
  writeFileSync(draft, `${newMasterKey()}\n`, { mode: 0o600, flag: 'wx', flush: true })
  try {
    // Unlike a rename, a link never takes another's place.
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
}

/**
 * Remembers which master key this database's secrets are sealed under, or checks that it is this one.
 * @throws SettingsError if it is another: what is sealed could never be opened again
 */
export async function claimMasterKey(database: Database, key: MasterKey): Promise<void> {
  const em = database.em()
  const [known] = await em.execute<{ id: string }[]>('select id from master_key')
  if (!known) {
    await em.execute('insert into master_key (id) values (?)', [key.id])
  } else if (known.id !== key.id) {
    throw new SettingsError(
      'MILLRACE_MASTER_KEY',
      `this database's upstream keys are sealed under another master key (${known.id}, not ${key.id})`,
    )
  }
}
