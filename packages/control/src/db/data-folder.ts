/** The data folder: made, and locked while the embedded database in it is open. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { SettingsError } from '@millrace/shared'

/** Held for the process's life: a lock whose handle is collected as garbage is released. */
let lock: DatabaseSync | undefined

/**
 * Makes the folder, for its owner alone, unless it is there.
 * @throws SettingsError
 */
export function makeDataFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new SettingsError(
      'MILLRACE_DATA_DIR',
      `cannot make the folder ${dataDir} (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

/**
 * Takes the folder for this process, until its end however it ends: SQLite's lock is the operating system's own.
 * @throws SettingsError if another process has it
 */
export function lockDataFolder(dataDir: string): void {
  try {
    lock = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 })
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    const busy = (error as { errcode?: number }).errcode === 5
    throw new SettingsError(
      'MILLRACE_DATA_DIR',
      busy ? `another control plane runs on ${dataDir}` : `cannot write to ${dataDir} (${(error as Error).message})`,
    )
  }
}
