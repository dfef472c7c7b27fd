/**
 * An embedded database as it is before the first start: its files laid out, its tables made. To lay one out takes control two
 * thirds of a first start; this one is made once a build, and copied.
 */
import { hash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { pino } from 'pino'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const BUILD = join(ROOT, 'packages/control/dist/db')
const CACHE = join(ROOT, 'node_modules/.cache/millrace')
/** What it is called in a data folder. */
const NAME = 'pglite'
/** Of a build that is no more, one is deleted after this. */
const OLD_MS = 3_600_000

let made: Promise<string> | null = null

/** Puts one into a data folder that has none. */
export async function layOutDatabase(dataDir: string): Promise<void> {
  made ??= template()
  await cp(await made, join(dataDir, NAME), { recursive: true })
}

async function template(): Promise<string> {
  const folder = join(CACHE, `database-${await buildOf()}`)
  const found = (await readdir(CACHE).catch(() => [])).some((name) => join(CACHE, name) === folder)
  if (!found) await make(folder)
  return folder
}

/** What its files depend on. */
async function buildOf(): Promise<string> {
  const texts = [await readFile(join(ROOT, 'package-lock.json'), 'utf8')]
  for (const entry of await readdir(BUILD, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.js'))
      texts.push(entry.name, await readFile(join(entry.parentPath, entry.name), 'utf8'))
  }
  return hash('sha256', JSON.stringify(texts)).slice(0, 16)
}

/** Whoever is first has made it; all are the same. */
async function make(folder: string): Promise<void> {
  const { openEmbedded } = await import('../../packages/control/dist/db/embedded.js')
  await mkdir(CACHE, { recursive: true })
  await deleteOld()
  const place = await mkdtemp(join(CACHE, 'making-'))
  try {
    const database = await openEmbedded(join(place, NAME), pino({ level: 'silent' }))
    await database.migrate()
    await database.close()
    await rename(join(place, NAME), folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

async function deleteOld(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const { mtimeMs } = await stat(join(CACHE, name))
    if (mtimeMs < Date.now() - OLD_MS) await rm(join(CACHE, name), { recursive: true, force: true })
  }
}
