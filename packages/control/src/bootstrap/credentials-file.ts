/** The secrets of the first start, for the person who started it. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { SettingsError } from '@millrace/shared'
import type { Logger } from 'pino'

const MODE = 0o600
const PROXY_KEY_FILE = 'proxy.key'

export interface Credentials {
  readonly adminKey: string
  /** A client's token. */
  readonly token: string
  readonly graphqlUrl: string
  readonly proxyUrl: string
}

/** @throws SettingsError if the folder can't be written */
export function writeCredentials(dataDir: string, credentials: Credentials): void {
  writeWhole(pathIn(dataDir), `${JSON.stringify(credentials, null, 2)}\n`)
}

/**
 * The key that the proxies of this data folder use, where none is set.
 * @throws SettingsError if the folder can't be written
 */
export function writeProxyKey(dataDir: string, key: string): void {
  writeWhole(join(dataDir, PROXY_KEY_FILE), `${key}\n`)
}

/**
 * Renames what another database's first start has left in the folder: those keys are written down nowhere else.
 * @throws SettingsError if the folder can't be written
 */
export function putAside(dataDir: string, log: Logger): void {
  const suffix = new Date().toISOString().replaceAll(':', '-')
  for (const path of [pathIn(dataDir), join(dataDir, PROXY_KEY_FILE)]) {
    if (!existsSync(path)) continue
    const aside = `${path}.${suffix}`
    attempt(path, () => renameSync(path, aside))
    log.warn({ from: path, to: aside }, 'put aside the keys of another database')
  }
}

/**
 * Brings the addresses up to date, if the file is there and is what was written. It is for people: one that was
 * damaged is left to them.
 * @throws SettingsError if the folder can't be written
 */
export function updateUrls(dataDir: string, urls: Pick<Credentials, 'graphqlUrl' | 'proxyUrl'>): void {
  const credentials = readCredentials(dataDir)
  if (!credentials) return
  if (credentials.graphqlUrl === urls.graphqlUrl && credentials.proxyUrl === urls.proxyUrl) return
  writeCredentials(dataDir, { ...credentials, ...urls })
}

function readCredentials(dataDir: string): Credentials | null {
  try {
    const credentials: unknown = JSON.parse(readFileSync(pathIn(dataDir), 'utf8'))
    return typeof credentials === 'object' ? (credentials as Credentials | null) : null
  } catch {
    return null
  }
}

function pathIn(dataDir: string): string {
  return join(dataDir, 'credentials.json')
}

/** Whoever reads it sees all of it or what was there before. */
function writeWhole(path: string, text: string): void {
  attempt(path, () => {
    writeFileSync(`${path}.new`, text, { mode: MODE, flush: true })
    renameSync(`${path}.new`, path)
  })
}

function attempt(path: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    throw new SettingsError('MILLRACE_DATA_DIR', `cannot write ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
}
