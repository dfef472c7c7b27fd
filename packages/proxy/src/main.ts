/** The data plane's process: its settings, its log and its signals. */
import { readFileSync } from 'node:fs'

import { readSettings, SettingsError } from '@millrace/shared'
import { pino } from 'pino'

import { ProxyService } from './service.ts'

const HELP = `millrace proxy: the data plane. Serves OpenAI's API under /v1, and /healthz and /readyz.

It needs a control plane (MILLRACE_CONTROL_URL), that plane's PROXY key (MILLRACE_PROXY_KEY, or proxy.key in
MILLRACE_DATA_DIR) and its master key (MILLRACE_MASTER_KEY, or master.key in MILLRACE_DATA_DIR).
All settings are environment variables; the README lists them.
`

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

if (process.argv.includes('--help')) process.stdout.write(HELP)
else await run()

async function run(): Promise<void> {
  try {
    const settings = readSettings(process.env)
    const log = pino({ name: 'proxy', level: settings.MILLRACE_LOG_LEVEL }, pino.destination({ dest: 2, sync: true }))
    const service = new ProxyService(settings, version, log)
    const started = service.start()
    // From here on, so that a launcher that goes during the start leaves nothing behind.
    stopOnSignals(async () => {
      await started
      await service.stop()
    })
    const url = await started
    log.info(`listening on ${url}`)
    // A launcher that has just gone is noticed by its disconnect.
    process.send?.({ type: 'ready', url }, undefined, undefined, () => {})
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(`millrace: ${error.message}\n`)
    process.exit(1)
  }
}

/** Stops in good order at the first signal, or when the launcher is gone; at once at the second. */
function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false
  const end = (): void => {
    if (stopping) process.exit(1)
    stopping = true
    void stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`millrace: did not stop in good order: ${(error as Error).message}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  const endOnce = (): void => {
    if (!stopping) end()
  }
  process.once('disconnect', endOnce)
  if (process.send && !process.connected) endOnce()
}
