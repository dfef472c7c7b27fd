/** What is measured: the upstream itself, nginx before it, and one or two builds of the proxy. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { startProcess, type RunningProcess } from '../helpers/process.ts'
import { startProxy, type ProxyProcess } from '../helpers/proxy.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import { configurePlain, configureRouting, configureStorms } from './configure.ts'
import { cpuTime } from './cpu.ts'
import { ALIAS, PROVIDER_MODEL } from './messages.ts'
import { nginxVersion, startNginx } from './nginx.ts'
import type { Options } from './options.ts'
import { countRecords, drained } from './records.ts'

export interface Target {
  readonly name: string
  readonly jsonPort: number
  readonly streamPort: number
  /** The model that its clients ask for. */
  readonly model: string
  readonly token: string
  /** Null where its CPU time says nothing. */
  readonly pid: number | null
  /** Microseconds of CPU that it uses in a second without any request. */
  idle: number
  /** In one measurement. */
  readonly maxRequests: number
  /** Waits until all that it has to do for requests past is done. */
  settle(): Promise<void>
  /** Tells it that so many requests were answered. */
  count(requests: number): void
}

export interface Bench extends AsyncDisposable {
  readonly targets: readonly Target[]
  readonly loader: RunningProcess
  /** A provider that answers 503: see dead-provider.ts. */
  readonly dead: RunningProcess
  readonly pinned: boolean
  readonly nginxVersion: string | null
  /** How many requests went through the proxies, and how many records are stored. */
  records(): Promise<{ readonly sent: number; readonly stored: number }>
}

/** A proxy holds some 30,000 records; control may be slower than the load generator, and is not to lose any. */
const MOST_RECORDS = 20_000

const IDLE_SECONDS = 3

function canPin(): boolean {
  return process.platform === 'linux' && availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0
}

/** Starts everything. */
export async function startBench(options: Options): Promise<Bench> {
  await using stack = new AsyncDisposableStack()
  const pinned = canPin()
  const measured = pinned ? ['taskset', '-c', '0'] : []
  const around = pinned ? ['taskset', '-c', '1'] : []
  // Nobody waits for control, so that its work must not delay those with whom it has to share a core here.
  const behind = pinned ? ['nice', '-n', '19', ...around] : []
  const upstream = stack.use(await startProcess({ entry: 'test/bench/upstream.ts', prefix: around }))
  const loader = stack.use(await startProcess({ entry: 'test/bench/loader.ts', prefix: around }))
  const dead = stack.use(await startProcess({ entry: 'test/bench/dead-provider.ts', prefix: around }))
  const upstreamPort = Number(new URL(upstream.ready.url).port)
  const targets: Target[] = [fixed('bare', upstreamPort, upstreamPort, null)]
  const version = options.without.includes('nginx') ? null : nginxVersion()
  if (version !== null) {
    const nginx = stack.use(await startNginx(upstreamPort, measured))
    targets.push(fixed('nginx', nginx.jsonPort, nginx.streamPort, nginx.pid))
  }

  const count = options.without.includes('millrace')
    ? null
    : await addProxies(
        stack,
        targets,
        options,
        { measured, behind },
        {
          baseUrl: `${upstream.ready.url}/v1`,
          deadUrl: `${dead.ready.url}/v1`,
        },
      )
  await measureIdle(targets)
  const owned = stack.move()
  return {
    targets,
    loader,
    dead,
    pinned,
    nginxVersion: version,
    records: async () => (await count?.()) ?? { sent: 0, stored: 0 },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What a process does by itself is no request's cost, however long a measurement waits for records to be stored. */
async function measureIdle(targets: readonly Target[]): Promise<void> {
  const used = ({ pid }: Target): number => (pid === null ? 0 : cpuTime(pid).used)
  const before = targets.map(used)
  await sleep(IDLE_SECONDS * 1_000)
  targets.forEach((target, i) => (target.idle = (used(target) - before[i]!) / IDLE_SECONDS))
}

/** Control and one or two builds of the proxy. */
async function addProxies(
  stack: AsyncDisposableStack,
  targets: Target[],
  options: Options,
  prefixes: { readonly measured: readonly string[]; readonly behind: readonly string[] },
  { baseUrl, deadUrl }: { readonly baseUrl: string; readonly deadUrl: string },
): Promise<Bench['records']> {
  const env = { MILLRACE_MASTER_KEY: randomBytes(32).toString('base64'), MILLRACE_LOG_LEVEL: 'warn' }
  const control = stack.use(await startControl({ env, prefix: prefixes.behind }))
  await configurePlain(control, baseUrl)
  if (options.only.includes('routing')) await configureRouting(control, baseUrl)
  if (options.only.includes('storm')) await configureStorms(control, baseUrl, deadUrl, options.rounds)
  const counts = { sent: 0 }
  const builds = [{ name: 'millrace', entry: 'packages/proxy/dist/main.js' }]
  if (options.against !== null) builds.push({ name: 'against', entry: resolve(options.against, 'main.js') })
  for (const { name, entry } of builds) {
    const folder = stack.use(await temporaryFolder())
    const proxy = stack.use(
      await startProxy({
        controlUrl: control.url,
        proxyKey: control.proxyKey,
        dataDir: folder.path,
        env,
        entry,
        prefix: prefixes.measured,
        execArgv: options.nodeArgs,
      }),
    )
    await waitFor(() => serves(proxy, control.token), { what: `${name} to serve`, timeoutMs: 20_000 })
    targets.push(proxyTarget(name, proxy, control, counts))
  }
  return async () => ({ sent: counts.sent, stored: await countRecords(control, options.rounds) })
}

function fixed(name: string, jsonPort: number, streamPort: number, pid: number | null): Target {
  return {
    name,
    jsonPort,
    streamPort,
    model: PROVIDER_MODEL,
    token: 'sk-none',
    pid,
    idle: 0,
    maxRequests: 1_000_000,
    settle: async () => undefined,
    count: () => undefined,
  }
}

function proxyTarget(name: string, proxy: ProxyProcess, control: ControlProcess, counts: { sent: number }): Target {
  return {
    name,
    jsonPort: proxy.port,
    streamPort: proxy.port,
    model: ALIAS,
    token: control.token,
    pid: proxy.pid,
    idle: 0,
    maxRequests: MOST_RECORDS,
    count(requests) {
      counts.sent += requests
    },
    settle: () => drained(control, proxy, 60_000),
  }
}

async function serves(proxy: ProxyProcess, token: string): Promise<boolean> {
  const response = await fetch(`${proxy.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
  const { data } = (await response.json()) as { data?: { id: string }[] }
  return data?.some(({ id }) => id === ALIAS) ?? false
}
