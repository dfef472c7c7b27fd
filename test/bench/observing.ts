/**
 * What a request's being observed costs the proxy: its record, its metrics, and the feed while somebody follows it:
 * `npm run build && node test/bench/observing.ts [rounds] [seconds]`. The same build runs beside itself without all that, in
 * turns. CPU is that of the proxy process, the sending of records and events included.
 */
import { randomBytes } from 'node:crypto'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { startProcess } from '../helpers/process.ts'
import { startProxy, type ProxyProcess } from '../helpers/proxy.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import { configurePlain } from './configure.ts'
import { cpuTime } from './cpu.ts'
import { put } from './measurement.ts'
import { ALIAS } from './messages.ts'
import { drained } from './records.ts'
import { median } from './report.ts'
import type { Target } from './targets.ts'

/** What control can store beside the load: else records would go by the disk, which is not what is measured. */
const PER_SECOND = 1_500
const MOST_REQUESTS = 100_000
const IDLE_MS = 2_000

const [rounds = 6, seconds = 4] = process.argv.slice(2).map(Number)
const pinned = (core: number): string[] => ['taskset', '-c', String(core)]

await using stack = new AsyncDisposableStack()
const upstream = stack.use(await startProcess({ entry: 'test/bench/upstream.ts', prefix: pinned(1) }))
const loader = stack.use(await startProcess({ entry: 'test/bench/loader.ts', prefix: pinned(1) }))
const env = { MILLRACE_MASTER_KEY: randomBytes(32).toString('base64'), MILLRACE_LOG_LEVEL: 'warn' }
const control = stack.use(await startControl({ env, prefix: ['nice', '-n', '19', ...pinned(1)] }))
await configurePlain(control, `${upstream.ready.url}/v1`)

const unrecorded = await start(control, 'test/bench/unrecorded-proxy.ts')
const recorded = await start(control, 'packages/proxy/dist/main.js')
const targets = [
  targetOf('unrecorded', unrecorded, control, async () => {}),
  targetOf('recorded', recorded, control, () => drained(control, recorded, 60_000)),
  targetOf('recorded and followed', recorded, control, () => drained(control, recorded, 60_000)),
]
const taken = new Map<Target, number[]>(targets.map((target) => [target, []]))
for (let round = -1; round < rounds; round++) {
  for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
    const followed = target.name === 'recorded and followed'
    await using _ = followed ? await follow(control) : new AsyncDisposableStack()
    target.idle = await idleOf(target)
    const load = { stream: null, connections: 64, seconds, ratePerSecond: PER_SECOND }
    const { result, cpu } = await put(load, target, loader)
    if (round >= 0) taken.get(target)!.push(cpu!.whole / result.requests)
  }
}
const [none, ...others] = targets
const base = taken.get(none!)!
console.log(`unrecorded: ${median(base).toFixed(1)} µs of CPU a request (${spread(base)})`)
for (const target of others) {
  const cpu = taken.get(target)!
  const added = cpu.map((value, i) => value - base[i]!)
  console.log(
    `${target.name}: ${median(cpu).toFixed(1)} µs (${spread(cpu)}), adds ${median(added).toFixed(1)} µs (${spread(added)})`,
  )
}

async function start(plane: ControlProcess, entry: string): Promise<ProxyProcess> {
  const folder = stack.use(await temporaryFolder())
  const { proxyKey } = plane
  const execArgv = ['--max-semi-space-size=16']
  const options = { controlUrl: plane.url, proxyKey, dataDir: folder.path, env, entry, execArgv, prefix: pinned(0) }
  const proxy = stack.use(await startProxy(options))
  await waitFor(
    async () => {
      const headers = { authorization: `Bearer ${plane.token}` }
      return (await (await fetch(`${proxy.url}/v1/models`, { headers })).text()).includes(ALIAS)
    },
    { what: `${entry} to serve`, timeoutMs: 20_000 },
  )
  return proxy
}

function targetOf(name: string, proxy: ProxyProcess, plane: ControlProcess, settle: () => Promise<void>): Target {
  return {
    name,
    jsonPort: proxy.port,
    streamPort: proxy.port,
    model: ALIAS,
    token: plane.token,
    pid: proxy.pid,
    idle: 0,
    maxRequests: MOST_REQUESTS,
    settle,
    count() {},
  }
}

/** Somebody who follows all of every request. */
async function follow(plane: ControlProcess): Promise<AsyncDisposable> {
  const feed = plane.subscribe('subscription { requestFeed(kinds: [STARTED, FIRST_TOKEN, FINISHED]) { id kind } }')
  const reading = (async () => {
    for await (const _ of feed);
  })()
  return {
    async [Symbol.asyncDispose]() {
      await feed[Symbol.asyncDispose]()
      await reading.catch(() => {})
    },
  }
}

/** Microseconds of CPU that it uses in a second without any request. */
async function idleOf({ pid }: Target): Promise<number> {
  const before = cpuTime(pid!).used
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  return ((cpuTime(pid!).used - before) / IDLE_MS) * 1_000
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`
}
