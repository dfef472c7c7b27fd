import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import type { Logger } from 'pino'

/** A file half written, and untouched for so long, is nobody's any more. */
const ABANDONED_MS = 600_000

/** Removes what earlier processes and versions have left beside the snapshot at that path. */
export async function removeLeftovers(path: string, log: Logger): Promise<void> {
  const folder = dirname(path)
  const halfWritten = `${basename(path)}.`
  try {
    await rm(join(folder, 'snapshot.json'), { force: true })
    for (const name of await readdir(folder)) {
      if (!name.startsWith(halfWritten)) continue
      const other = join(folder, name)
      if (Date.now() - (await stat(other)).mtimeMs > ABANDONED_MS) await rm(other, { force: true })
    }
  } catch (error) {
    log.warn(`what an earlier version has left cannot be removed: ${(error as Error).message}`)
  }
}
