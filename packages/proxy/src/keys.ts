/** The secrets that a proxy is started with: from the environment, or from the files that control made beside it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parseMasterKey, SettingsError, type MasterKey, type Settings } from '@millrace/shared'

/**
 * What upstream keys may be sealed under: the master key, and the one before while it is being changed.
 * @throws SettingsError if there is none, or it is not a key
 */
export function masterKeysOf(settings: Settings): readonly MasterKey[] {
  const previous = settings.MILLRACE_MASTER_KEY_PREVIOUS
  return previous === undefined ? [masterKeyOf(settings)] : [masterKeyOf(settings), previous]
}

function masterKeyOf(settings: Settings): MasterKey {
  const path = join(settings.MILLRACE_DATA_DIR, 'master.key')
  try {
    return settings.MILLRACE_MASTER_KEY ?? parseMasterKey(readKey('MILLRACE_MASTER_KEY', path))
  } catch (error) {
    if (error instanceof RangeError) throw new SettingsError('MILLRACE_MASTER_KEY', `${path} ${error.message}`)
    throw error
  }
}

/** @throws SettingsError if there is none */
export function proxyKeyOf(settings: Settings): string {
  return settings.MILLRACE_PROXY_KEY ?? readKey('MILLRACE_PROXY_KEY', join(settings.MILLRACE_DATA_DIR, 'proxy.key'))
}

function readKey(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new SettingsError(
      variable,
      `is not set, and ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}
