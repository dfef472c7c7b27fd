/** The control plane as a process: settings, signals, and what is said at the start. */
import { readSettings, SettingsError } from '@millrace/shared'

import { startControl, type Control } from './control.ts'
import { firstStartText, HELP } from './help.ts'
import { createLog } from './log.ts'

/** Less than the launcher waits until it kills. */
const END_TIMEOUT_MS = 12_000

// All that it writes is its owner's alone: keys, and the embedded database.
process.umask(0o077)

if (process.argv.includes('--help')) {
  process.stdout.write(HELP)
} else {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(`millrace: ${error.message}\n`)
    // Whoever listens for the launcher's end would be kept running by that.
    process.exit(1)
  }
}

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const log = createLog('control', settings.MILLRACE_LOG_LEVEL)
  const ending = endBySignal()
  let control: Control
  try {
    control = await startControl({
      settings,
      env: process.env,
      log,
      signal: ending,
      launched: process.send !== undefined,
    })
  } catch (error) {
    if (ending.aborted) process.exit(0)
    throw error
  }
  ending.addEventListener('abort', () => void end(control))
  if (ending.aborted) return end(control)
  if (process.send) {
    // A launcher that has just gone is noticed by its disconnect.
    process.send({ type: 'ready', url: control.url, firstStart: control.firstStart }, undefined, undefined, () => {})
  } else if (control.firstStart) {
    process.stdout.write(firstStartText(control.url, control.firstStart, settings))
  }
  log.info({ url: control.url }, 'the control plane serves')
}

/**
 * The first signal ends the process in good order, the second at once. So does the end of whoever started it.
 * From the first moment on, since a start takes seconds and a launcher may go during it.
 */
function endBySignal(): AbortSignal {
  const ending = new AbortController()
  const begin = (): void => {
    setTimeout(() => process.exit(1), END_TIMEOUT_MS).unref()
    ending.abort()
  }
  const onSignal = (): void => (ending.signal.aborted ? process.exit(1) : begin())
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  const onDisconnect = (): void => {
    if (!ending.signal.aborted) begin()
  }
  process.once('disconnect', onDisconnect)
  // It may have gone while the modules were loaded.
  if (process.send && !process.connected) onDisconnect()
  return ending.signal
}

async function end(control: Control): Promise<never> {
  try {
    await control.close()
    process.exit(0)
  } catch (error) {
    process.stderr.write(`millrace: did not end in good order: ${(error as Error).message}\n`)
    process.exit(1)
  }
}
