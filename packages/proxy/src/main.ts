/** The data plane's process: a proxy by itself, or the primary of several workers. */
import type { Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { AloneMembership } from './alone.ts'
import { makeDataDir } from './data-dir.ts'
import { run, stopOnSignals, version } from './process.ts'
import { ProxyService } from './service.ts'
import { PrimaryService } from './workers/primary.ts'

const HELP = `millrace proxy: the data plane. Serves OpenAI's API and Anthropic's Messages under /v1, and /healthz,
/readyz and /metrics.

It needs a control plane (MILLRACE_CONTROL_URL), that plane's PROXY key (MILLRACE_PROXY_KEY, or proxy.key in
MILLRACE_DATA_DIR) and its master key (MILLRACE_MASTER_KEY, or master.key in MILLRACE_DATA_DIR).
With MILLRACE_WORKERS several processes serve as one proxy.
All settings are environment variables; the README lists them.
`

if (process.argv.includes('--help')) process.stdout.write(HELP)
else await run(serve)

async function serve(settings: Settings, log: Logger): Promise<void> {
  const service = settings.MILLRACE_WORKERS === 1 ? alone(settings, log) : new PrimaryService(settings, version, log)
  const started = service.start()
  // From here on, so that a launcher that goes during the start leaves nothing behind.
  stopOnSignals(
    () => service.stop(),
    () => service.kill(),
  )
  const url = await started
  log.info(`listening on ${url}`)
  if (settings.MILLRACE_REDIS_URL === undefined)
    log.info('limits and budgets hold for this proxy alone: where there are several, MILLRACE_REDIS_URL makes them one')
  // A launcher that has just gone is noticed by its disconnect.
  process.send?.({ type: 'ready', url }, undefined, undefined, () => {})
}

function alone(settings: Settings, log: Logger): ProxyService {
  makeDataDir(settings)
  return new ProxyService(settings, new AloneMembership(settings, version, log), log)
}
