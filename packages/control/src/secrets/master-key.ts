/** The master key: from the environment, else from the data folder, where it is made once. */
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { newId, newMasterKey, parseMasterKey, SettingsError, type MasterKey, type Settings } from '@millrace/shared'

/** What this process opens and seals by. */
export interface MasterKeys {
  /** What is sealed is sealed under it. */
  readonly current: MasterKey
  /** What was sealed under it opens until it is sealed anew; null: no other key is being left. */
  readonly previous: MasterKey | null
}

/**
 * @param dataDir absolute
 * @throws SettingsError if none is set, and the data folder's can't be used
 */
export function masterKeysOf(settings: Settings, dataDir: string): MasterKeys {
  const current = settings.MILLRACE_MASTER_KEY ?? folderMasterKey(dataDir)
  const previous = settings.MILLRACE_MASTER_KEY_PREVIOUS ?? null
  if (previous?.id === current.id)
    throw new SettingsError('MILLRACE_MASTER_KEY_PREVIOUS', 'must be another key than MILLRACE_MASTER_KEY')
  return { current, previous }
}

/**
 * The key in the data folder's `master.key`, made if it is not there. Several processes may do so at once: one makes it.
 * @throws SettingsError if the file can't be used
 */
function folderMasterKey(dataDir: string): MasterKey {
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
