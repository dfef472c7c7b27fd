/** `npm run rebuild-usage`: sums usage up anew, from the records. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { readSettings, SettingsError, type Settings } from '@millrace/shared'

import { openDatabase } from './db/open.ts'
import { createLog } from './log.ts'
import { rebuildUsage, type Rebuilt } from './usage/rebuild.ts'

const HELP = `Usage: npm run rebuild-usage

Makes the sums that usage is answered from anew, from the records of requests: a day (UTC) after the other, the oldest
first. Days of which records are no longer kept stay as they are. It reads the same settings as the control plane.

On a PostgreSQL server it runs beside control planes: what is stored meanwhile is counted once, and a day is answered as
before until it is done. With the embedded database the control plane has to be stopped. Ended anywhere, it leaves each day
as it was or done; run again, it begins anew.

Exit codes: 0 done; 1 it could not begin, or the database went away; 3 ended by a signal, run it again.
`

const FAILED = 1
const ENDED = 3

process.umask(0o077)

if (process.argv.includes('--help')) {
  process.stdout.write(HELP)
} else {
  try {
    process.exitCode = await main(readSettings(process.env))
  } catch (error) {
    process.stderr.write(`millrace: ${reasonOf(error)}\n`)
    process.exitCode = FAILED
  }
}

/** @returns the exit code */
async function main(settings: Settings): Promise<number> {
  const log = createLog('rebuild-usage', settings.MILLRACE_LOG_LEVEL)
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort())
  const dataDir = resolve(settings.MILLRACE_DATA_DIR)
  if (settings.MILLRACE_DATABASE_URL === undefined && !existsSync(join(dataDir, 'pglite')))
    throw new SettingsError('MILLRACE_DATA_DIR', `there is no database in ${dataDir}`)
  const database = await openDatabase(settings.MILLRACE_DATABASE_URL, dataDir, log, true)
  let days = 0
  const told = ({ day, requests }: Rebuilt): void => {
    days++
    process.stdout.write(`${day}: ${requests} ${requests === 1 ? 'request' : 'requests'}\n`)
  }
  try {
    await database.exclusively(() => database.migrate(), ending.signal)
    await rebuildUsage(database, settings.MILLRACE_RECORD_DAYS, told, ending.signal)
    process.stdout.write(`The usage of ${days} ${days === 1 ? 'day' : 'days'} was summed up anew.\n`)
    return 0
  } catch (error) {
    if (!ending.signal.aborted) throw error
    process.stdout.write(`ended after ${days} ${days === 1 ? 'day' : 'days'}: run it again\n`)
    return ENDED
  } finally {
    await database.close()
  }
}

function reasonOf(error: unknown): string {
  const { message } = error as Error
  const isHeld = error instanceof SettingsError && message.includes('another control plane runs')
  return isHeld ? `${message}: stop it while usage is summed up anew` : message
}
