import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Files kept of those that can't be used. */
const MOST_ASIDE = 100

/**
 * Moves a file to where nobody looks but the operator; of too many it is deleted. Where neither can be done it stays.
 * @returns whether it is kept there
 */
export async function putAside(spool: string, folder: string, name: string): Promise<boolean> {
  const path = join(spool, folder, name)
  const aside = join(spool, 'aside')
  try {
    await mkdir(aside, { recursive: true, mode: 0o700 })
    const keep = (await readdir(aside)).length < MOST_ASIDE
    if (keep) await rename(path, join(aside, name))
    else await rm(path, { recursive: true, force: true })
    return keep
  } catch {
    return false
  }
}
