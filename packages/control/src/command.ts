/** A command that works on control's database and then ends. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { readSettings, SettingsError, type Settings } from '@millrace/shared'

import type { Database } from './db/database.ts'
import { openDatabase } from './db/open.ts'
import { createLog } from './log.ts'

/** It could not begin, or the database went away. */
const FAILED = 1

export interface Command {
  readonly name: string
  /** What `--help` says. */
  readonly help: string
  /** What the embedded database's control plane has to be stopped for: `while keys are re-encrypted`. */
  readonly heldWhile: string
  /** Whether its statements may take as long as they take. */
  readonly patient: boolean
}

/** What there is to work with. */
export interface Surroundings {
  readonly settings: Settings
  /** Absolute. */
  readonly dataDir: string
  readonly database: Database
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

/**
 * Runs the process's command. What it fails by is one line on stderr.
 * @param work resolves with the exit code
 */
export async function runCommand(command: Command, work: (given: Surroundings) => Promise<number>): Promise<void> {
  process.umask(0o077)
  if (process.argv.includes('--help')) {
    process.stdout.write(command.help)
    return
  }
  try {
    process.exitCode = await run(command, readSettings(process.env), work)
  } catch (error) {
    process.stderr.write(`millrace: ${reasonOf(error, command)}\n`)
    process.exitCode = FAILED
  }
}

async function run(
  { name, patient }: Command,
  settings: Settings,
  work: (given: Surroundings) => Promise<number>,
): Promise<number> {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort())
  const dataDir = resolve(settings.MILLRACE_DATA_DIR)
  if (settings.MILLRACE_DATABASE_URL === undefined && !existsSync(join(dataDir, 'pglite')))
    throw new SettingsError('MILLRACE_DATA_DIR', `there is no database in ${dataDir}`)
  const log = createLog(name, settings.MILLRACE_LOG_LEVEL)
  const database = await openDatabase(settings.MILLRACE_DATABASE_URL, dataDir, log, patient)
  try {
    return await work({ settings, dataDir, database, signal: ending.signal })
  } finally {
    await database.close()
  }
}

function reasonOf(error: unknown, { heldWhile }: Command): string {
  const { message } = error as Error
  const isHeld = error instanceof SettingsError && message.includes('another control plane runs')
  return isHeld ? `${message}: stop it ${heldWhile}` : message
}
