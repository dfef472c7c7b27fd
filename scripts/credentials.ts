/** The file in which control leaves the first start's secrets, and where both planes are reached. */
import { existsSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'

export interface Addresses {
  readonly graphqlUrl: string
  readonly proxyUrl: string
}

/**
 * Writes the addresses into the file if it says otherwise; all else in it stays.
 * @returns whether there is such a file. It is never created: who removed it has put the secrets elsewhere
 */
export async function updateAddresses(file: string, addresses: Addresses): Promise<boolean> {
  if (!existsSync(file)) return false
  const credentials = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  if (credentials['graphqlUrl'] === addresses.graphqlUrl && credentials['proxyUrl'] === addresses.proxyUrl) return true
  await replace(file, `${JSON.stringify({ ...credentials, ...addresses }, null, 2)}\n`)
  return true
}

/** All of the new content or all of the old: a crash half-way must not cost the secrets. */
async function replace(file: string, content: string): Promise<void> {
  const draft = `${file}.new`
  const handle = await open(draft, 'w', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}
