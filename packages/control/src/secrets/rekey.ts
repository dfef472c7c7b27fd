/** Seals all stored upstream keys under the current master key, a few in each transaction: it can be ended anywhere. */
import { credentialContext, open, seal } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { ProviderCredential } from '../providers/credential.entity.ts'
import { credentialSubject } from '../providers/credential.service.ts'
import { Provider } from '../providers/provider.entity.ts'
import { changeConfiguration, MILLRACE, type Change } from '../revisions/change.ts'
import { claimMasterKey, sealedUnder } from './claim.ts'
import type { MasterKeys } from './master-key.ts'

/** Keys in one transaction, and so in one revision. */
const BATCH = 50

/** How far it has come. */
export interface Progress {
  readonly done: number
  readonly total: number
}

export interface Outcome extends Progress {
  /** What opens under neither key: `openai sha256:…: why`. */
  readonly failed: readonly string[]
}

interface Batch {
  readonly size: number
  readonly failed: readonly string[]
  /** The id of the last. */
  readonly last: string
}

/**
 * Beside running control planes, too, if they have both keys. What is done when it ends is done for good.
 * @param told after each transaction
 * @param signal ends it after the transaction that runs
 * @throws SettingsError if the keys are not those of the database
 */
export async function rekey(
  database: Database,
  keys: MasterKeys,
  told: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  await claimMasterKey(database, keys)
  const counts = await sealedUnder(database.em())
  const total = counts.filter(({ id }) => id !== keys.current.id).reduce((sum, { count }) => sum + count, 0)
  const failed: string[] = []
  let done = 0
  let batch: Batch = { size: BATCH, failed: [], last: '00000000-0000-0000-0000-000000000000' }
  while (batch.size === BATCH && !signal.aborted) {
    const { last } = batch
    batch = await changeConfiguration(database, MILLRACE, 'rekey', (change) => rekeyBatch(change, keys, last))
    failed.push(...batch.failed)
    done += batch.size - batch.failed.length
    if (batch.size > 0) told({ done, total })
  }
  // Forgets the key before, if nothing is left under it.
  await claimMasterKey(database, keys)
  return { done, total, failed }
}

async function rekeyBatch(change: Change, keys: MasterKeys, after: string): Promise<Batch> {
  const { em } = change
  const ids = await em.execute<{ id: string }[]>(
    `select id from provider_credential
     where sealed is not null and split_part(sealed, '.', 2) <> ? and id > ? order by id limit ?`,
    [keys.current.id, after, BATCH],
  )
  const credentials = await em.find(ProviderCredential, { id: { $in: ids.map(({ id }) => id) } })
  const failed: string[] = []
  for (const credential of credentials) {
    const provider = await em.findOneOrFail(Provider, { id: credential.provider })
    const subject = credentialSubject(credential, provider)
    const before = credential.sealed!.split('.')[1]
    try {
      credential.sealed = resealed(credential, keys)
      change.updated(subject, { masterKey: before }, { masterKey: keys.current.id })
    } catch (error) {
      failed.push(`${subject.name}: ${(error as Error).message}`)
    }
  }
  return { size: ids.length, failed, last: ids.at(-1)?.id ?? after }
}

function resealed({ id, provider, sealed }: ProviderCredential, { current, previous }: MasterKeys): string {
  const context = credentialContext(provider, id)
  return seal(open(sealed!, previous === null ? [current] : [current, previous], context), current, context)
}
