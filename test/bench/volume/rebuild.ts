/** The command that sums usage up anew, as an operator runs it. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { cleanEnvironment } from '../../helpers/process.ts'

const COMMAND = fileURLToPath(new URL('../../../packages/control/dist/rebuild-usage.js', import.meta.url))

/** @returns its last line, and how long it took */
export async function runRebuild(databaseUrl: string, dataDir: string): Promise<string> {
  const began = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND], {
    env: cleanEnvironment({ MILLRACE_DATABASE_URL: databaseUrl, MILLRACE_DATA_DIR: dataDir }),
    maxBuffer: 16 * 1_024 * 1_024,
  })
  return `${stdout.trim().split('\n').at(-1)} (${((performance.now() - began) / 1_000).toFixed(0)} s)`
}
