import { mkdirSync } from 'node:fs'

import { SettingsError, type Settings } from '@millrace/shared'

/** @throws SettingsError if the folder can't be made */
export function makeDataDir({ MILLRACE_DATA_DIR: path }: Settings): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new SettingsError('MILLRACE_DATA_DIR', `${path} cannot be used (${(error as NodeJS.ErrnoException).code})`)
  }
}
