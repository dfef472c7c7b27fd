/** The control plane as a process: settings, signals, and what is said at the start. */
import { readSettings, SettingsError } from '@millrace/shared'
import { pino } from 'pino'

import { startControl, type Control } from './control.ts'
import { firstStartText, HELP } from './help.ts'

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
    process.exitCode = 1
  }
}

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const log = pino({ name: 'control', level: settings.MILLRACE_LOG_LEVEL }, pino.destination(2))
  const control = await startControl(settings, process.env, log)
  endBySignal(control)
  if (process.send) {
    // A launcher that has just gone is noticed by its disconnect.
    process.send({ type: 'ready', url: control.url, firstStart: control.firstStart }, undefined, undefined, () => {})
  } else if (control.firstStart) {
    process.stdout.write(firstStartText(control.url, control.firstStart, settings))
  }
  log.info({ url: control.url }, 'the control plane serves')
}

/** The first signal ends it in good order, the second at once. So does the end of whoever started it. */
function endBySignal(control: Control): void {
  let ending = false
  const end = (): void => {
    if (ending) process.exit(1)
    ending = true
    void control.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`millrace: did not end in good order: ${(error as Error).message}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.once('disconnect', () => {
    if (!ending) end()
  })
}
