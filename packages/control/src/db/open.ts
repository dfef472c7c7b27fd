/** Opens the database that the settings name: a server, or the embedded one in the data folder. */
import { join } from 'node:path'

import type { Logger } from 'pino'

import { lockDataFolder } from './data-folder.ts'
import type { Database } from './database.ts'

/**
 * @param dataDir absolute, and there already
 * @param patient whether a statement on a server may take as long as it takes
 * @throws SettingsError if it can't be used
 */
export async function openDatabase(
  url: string | undefined,
  dataDir: string,
  log: Logger,
  patient = false,
): Promise<Database> {
  if (url !== undefined) {
    const { openServer } = await import('./server.ts')
    return openServer(url, log, patient)
  }
  lockDataFolder(dataDir)
  const { openEmbedded } = await import('./embedded.ts')
  return openEmbedded(join(dataDir, 'pglite'), log)
}
