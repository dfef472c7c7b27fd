/**
 * How late the feed is: `npm run build && node test/bench/feed.ts [seconds] [requests/s]`. A load on a real proxy, and 50
 * subscribers with 50 different filters, each on a socket of its own; one more subscriber never reads. Latency is from
 * the record's `finishedAt` until the subscriber has read the event, all by one clock; the proxy gathers records for 50 ms.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import type { RequestRecord } from '@millrace/shared'
import { WebSocket } from 'ws'

import { Bus } from '../../packages/control/dist/feed/bus.js'
import type { FeedEvent } from '../../packages/control/dist/feed/event.js'
import { weightOf } from '../../packages/control/dist/feed/weight.js'
import { sample } from '../control/sample.ts'
import { startControl, type ControlProcess } from '../helpers/control.ts'
import { databases } from '../helpers/postgres.ts'
import { startProcess, type RunningProcess } from '../helpers/process.ts'
import { startProxy } from '../helpers/proxy.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import { configurePlain } from './configure.ts'
import { cpuTime } from './cpu.ts'
import { put } from './measurement.ts'
import { ALIAS, VARYING_USER } from './messages.ts'
import { drained } from './records.ts'
import type { Target } from './targets.ts'

const SUBSCRIBERS = 50
/** Until what runs has been compiled. */
const WARM_SECONDS = 2
const [seconds = 10, ratePerSecond = 1_000] = process.argv.slice(2).map(Number)

const QUERY = `subscription ($filter: RequestFilter, $kinds: [FeedEventKind!]) {
  requestFeed(filter: $filter, kinds: $kinds) {
    id kind at dropped
    record { id requestId startedAt finishedAt model status httpStatus latencyMs costUsd userKey project { name } token { name }
      provider { name } usage { inputTokens outputTokens } }
  }
}`

/** Filters of which each asks for something else. */
const MIXES: Readonly<Record<string, (i: number) => object>> = {
  'each wants a few of the requests': (i) => ({ search: String(i).padStart(2, '0') }),
  'each wants all of them': (i) => ({ minLatencyMs: i / 1_000_000 }),
}

class Subscriber {
  readonly latencies: number[] = []
  dropped = 0
  readonly socket: WebSocket
  readonly ready: Promise<unknown>

  constructor(control: ControlProcess, variables: object) {
    this.socket = new WebSocket(`${control.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws')
    const send = (message: object): void => this.socket.send(JSON.stringify(message))
    const ready = Promise.withResolvers<void>()
    this.ready = ready.promise
    this.socket.on('open', () =>
      send({ type: 'connection_init', payload: { authorization: `Bearer ${control.adminKey}` } }),
    )
    this.socket.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString())
      if (type === 'connection_ack') {
        send({ type: 'subscribe', id: '1', payload: { query: QUERY, variables } })
        ready.resolve()
      }
      if (type !== 'next') return
      const { record, dropped } = payload.data.requestFeed
      this.dropped += dropped
      this.latencies.push(Date.now() - Date.parse(record.finishedAt))
    })
  }
}

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

async function measure(
  database: string,
  control: ControlProcess,
  loader: RunningProcess,
  upstreamUrl: string,
): Promise<void> {
  await using folder = await temporaryFolder()
  await configurePlain(control, `${upstreamUrl}/v1`)
  await using proxy = await startProxy({
    controlUrl: control.url,
    proxyKey: control.proxyKey,
    dataDir: folder.path,
    env,
  })
  const port = Number(new URL(proxy.url).port)
  const target: Target = {
    name: database,
    pid: proxy.pid,
    token: control.token,
    model: ALIAS,
    jsonPort: port,
    streamPort: port,
    idle: 0,
    maxRequests: Number.MAX_SAFE_INTEGER,
    settle: () => drained(control, proxy, 60_000),
    count() {},
  }
  await waitFor(
    async () => {
      const headers = { authorization: `Bearer ${control.token}` }
      return (await (await fetch(`${proxy.url}/v1/models`, { headers })).text()).includes(ALIAS)
    },
    { what: 'the proxy to serve', timeoutMs: 30_000 },
  )
  const load = { stream: null, user: VARYING_USER, connections: 32, seconds, ratePerSecond, tolerant: true }
  for (const [mix, filterOf] of Object.entries(MIXES)) {
    const stalled = new Subscriber(control, { filter: filterOf(0) })
    await stalled.ready
    await sleep(200)
    stalled.socket.pause()
    const subscribers = Array.from({ length: SUBSCRIBERS }, (_, i) => new Subscriber(control, { filter: filterOf(i) }))
    await Promise.all(subscribers.map(({ ready }) => ready))
    await sleep(500)
    await put({ ...load, seconds: WARM_SECONDS }, target, loader)
    for (const one of subscribers) one.latencies.length = 0
    const before = cpuTime(control.pid).used
    const { result } = await put(load, target, loader)
    await sleep(1_500)
    const cpu = (cpuTime(control.pid).used - before) / 1_000_000 / result.seconds
    const latencies = subscribers.flatMap((one) => one.latencies).sort((a, b) => a - b)
    const dropped = subscribers.reduce((sum, one) => sum + one.dropped, 0)
    console.log(
      [
        database.padEnd(10),
        mix.padEnd(33),
        String(Math.round(result.requests / result.seconds)).padStart(10),
        String(Math.round(latencies.length / result.seconds)).padStart(8),
        ...[0.5, 0.99, 1].map((part) => `${Math.round(percentile(latencies, part))} ms`.padStart(8)),
        String(dropped).padStart(7),
        cpu.toFixed(2).padStart(8),
      ].join('  '),
    )
    for (const { socket } of [...subscribers, stalled]) socket.terminate()
    await sleep(500)
  }
}

/** What waits for a subscriber that never reads, in memory. */
function stalledBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const bus = new Bus<FeedEvent>(weightOf)
  const mailbox = bus.subscribe(1_000)
  const publish = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const record: RequestRecord = JSON.parse(JSON.stringify(sample()))
      bus.publish({ kind: 'FINISHED', id: `${i}`, at: new Date(), record })
    }
  }
  publish(10)
  collect()
  const before = process.memoryUsage().heapUsed
  publish(20_000)
  collect()
  const bytes = process.memoryUsage().heapUsed - before
  void mailbox.return()
  return bytes
}

const env = { MILLRACE_MASTER_KEY: randomBytes(32).toString('base64'), MILLRACE_LOG_LEVEL: 'warn' }
console.log(`one that never reads: ${Math.round(stalledBytes() / 1_024)} KB wait for it after 20,000 records`)
console.log(
  '\ndatabase    50 subscribers                     requests/s  events/s     p50       p99       max  dropped  CPU s/s',
)
await using stack = new AsyncDisposableStack()
const upstream = stack.use(await startProcess({ entry: 'test/bench/upstream.ts' }))
const loader = stack.use(await startProcess({ entry: 'test/bench/loader.ts' }))
const found = await databases()
stack.defer(() => found.close())
for (const kind of found.kinds) {
  if (kind.skip !== false) continue
  await using database = await kind.create()
  const { databaseUrl } = database
  await using control = await startControl({ ...(databaseUrl === undefined ? {} : { databaseUrl }), env })
  await measure(kind.name, control, loader, upstream.ready.url)
}
