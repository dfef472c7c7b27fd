/** `npm start`: the control plane and a proxy on one machine, as two processes kept running. */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { readSettings, SettingsError, type Settings } from '@millrace/shared'

import { updateAddresses, type Addresses } from './credentials.ts'
import { help } from './help.ts'
import { EndedEarly, Service, type Ready } from './service.ts'
import { welcome, type FirstStart } from './welcome.ts'

/** Ctrl-C under npm arrives twice, from the terminal and from npm, which passes it on: no second wish to stop. */
const SAME_SIGNAL_MS = 500
/** More than a plane gives itself to end in good order. */
const STOP_MS = 15_000
const READY_MS = 10_000
const READY_FETCH_MS = 2_000

if (process.argv.includes('--help')) {
  process.stdout.write(help())
} else {
  await main()
}

async function main(): Promise<void> {
  try {
    await run(readSettings(process.env))
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    console.error(`millrace: ${error.message}`)
    process.exitCode = 1
  }
}

async function run(settings: Settings): Promise<void> {
  /** What is known once they serve: whichever starts again finds the other, and clients find it where it was. */
  const env: Record<string, string> = {}
  const control = new Service<Ready & { readonly firstStart: FirstStart | null }>({
    name: 'control',
    entry: new URL('../packages/control/dist/main.js', import.meta.url),
    env,
    stopTimeoutMs: STOP_MS,
  })
  const proxy = new Service({
    name: 'proxy',
    entry: new URL('../packages/proxy/dist/main.js', import.meta.url),
    execArgv: ['--max-semi-space-size=16'],
    env,
    stopTimeoutMs: settings.MILLRACE_DRAIN_SECONDS * 1_000 + STOP_MS,
  })
  /** In this order: control takes the records of the proxy's last requests. */
  const stop = async (): Promise<void> => {
    await proxy.stop()
    await control.stop()
  }

  const stopping = new AbortController()
  let since = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) {
        stopping.abort()
        since = performance.now()
        console.error(
          `millrace: stopping; streams may go on for ${settings.MILLRACE_DRAIN_SECONDS} s, another signal ends them`,
        )
        void stop()
      } else if (performance.now() - since > SAME_SIGNAL_MS) {
        proxy.kill()
        control.kill()
      }
    })
  }

  try {
    const { url: controlUrl, firstStart } = await control.start()
    env['MILLRACE_CONTROL_URL'] = controlUrl
    env['MILLRACE_CONTROL_PORT'] = portOf(controlUrl)
    const { url: proxyUrl } = await proxy.start()
    env['MILLRACE_PROXY_PORT'] = portOf(proxyUrl)
    const unready = await untilReady(`${proxyUrl}/readyz`, stopping.signal)
    if (stopping.signal.aborted) return
    const addresses = { graphqlUrl: `${controlUrl}/graphql`, proxyUrl }
    const file = resolve(settings.MILLRACE_DATA_DIR, 'credentials.json')
    const credentialsFile = (await updated(file, addresses)) ? file : null
    const adminKeyIsSet = settings.MILLRACE_ADMIN_KEY !== undefined
    console.log(welcome({ ...addresses, firstStart, credentialsFile, adminKeyIsSet, unready }))
  } catch (error) {
    await stop()
    if (!(error instanceof EndedEarly)) throw error
    if (!stopping.signal.aborted) process.exitCode = 1
  }
}

/** URL leaves out the scheme's own port. */
function portOf(url: string): string {
  return new URL(url).port || '80'
}

/**
 * The proxy listens before it has its first configuration, so that its port is taken; a moment later it serves.
 * @returns null, or what it answered last if it still doesn't
 */
async function untilReady(url: string, stopping: AbortSignal): Promise<string | null> {
  const until = performance.now() + READY_MS
  for (;;) {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(READY_FETCH_MS)])
    const answer = await fetch(url, { signal }).then(
      async (response) => (response.ok ? null : await response.text()),
      (error: unknown) => String(error),
    )
    if (answer === null || stopping.aborted || performance.now() >= until) return answer
    await sleep(20)
  }
}

/** A file that someone has damaged is no reason not to serve. */
async function updated(file: string, addresses: Addresses): Promise<boolean> {
  try {
    return await updateAddresses(file, addresses)
  } catch (error) {
    console.error(`millrace: ${file}: ${String(error)}`)
    return false
  }
}
