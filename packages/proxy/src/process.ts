/** What the processes of the data plane have in common: their settings, their log, their signals. */
import { readFileSync } from 'node:fs'

import { readSettings, SettingsError, type Settings } from '@millrace/shared'
import { pino, type Logger } from 'pino'

/** Of the package. */
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Runs a process; a setting that cannot be used ends it with one line. */
export async function run(main: (settings: Settings, log: Logger) => Promise<void>): Promise<void> {
  try {
    const settings = readSettings(process.env)
    await main(
      settings,
      pino({ name: 'proxy', level: settings.MILLRACE_LOG_LEVEL }, pino.destination({ dest: 2, sync: true })),
    )
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(`millrace: ${error.message}\n`)
    process.exit(1)
  }
}

/** Ends the process once this has come about. */
export function endAfter(stopped: Promise<void>): void {
  stopped.then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`millrace: did not stop in good order: ${(error as Error).message}\n`)
      process.exit(1)
    },
  )
}

/**
 * Stops in good order at the first signal, or when the launcher is gone; at once at the second.
 * @param kill what is to be ended with this process
 */
export function stopOnSignals(stop: () => Promise<void>, kill: () => void): void {
  let stopping = false
  const end = (): void => {
    if (stopping) {
      kill()
      process.exit(1)
    }
    stopping = true
    endAfter(stop())
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  const endOnce = (): void => {
    if (!stopping) end()
  }
  process.once('disconnect', endOnce)
  if (process.send && !process.connected) endOnce()
}
