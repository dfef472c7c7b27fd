/** The secrets of the first start, for the person who started it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { SettingsError } from '@millrace/shared'

const MODE = 0o600

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
  writeWhole(join(dataDir, 'proxy.key'), `${key}\n`)
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
  try {
    writeFileSync(`${path}.new`, text, { mode: MODE, flush: true })
    renameSync(`${path}.new`, path)
  } catch (error) {
    throw new SettingsError('MILLRACE_DATA_DIR', `cannot write ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
}
