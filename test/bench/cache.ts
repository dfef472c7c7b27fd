/**
 * What the cache costs, and what it saves: `npm run build && node test/bench/cache.ts [hit] [key] [memory] [storm] [paths]`
 * (all of them unless some are named; a few minutes).
 *
 * hit     CPU of a memory hit against the proxy's floor (see floor.ts), in turns; and whether anybody was asked upstream.
 * key     microseconds for the key of a body of 1 KB and of 100 KB.
 * memory  100,000 distinct bodies: what the proxy holds before and after, once all garbage is collected.
 * storm   1,000 identical requests at once: how many reach the provider.
 * paths   CPU of a request that is sent on: without a cache, with one that lacks it, and where it could be shared.
 *
 * CPU is the proxy process's own. It runs on core 0 where taskset is at hand, all else on core 1.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { open } from '../helpers/http.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { MISS, pinned, SHARE, startBench, STORM, type Bench } from './cache-bench.ts'
import { measureHit } from './cache-hit.ts'
import { measureKeys } from './cache-key.ts'
import { median, put, type Cost, type Load } from './cache-load.ts'
import { ALIAS, PROVIDER_MODEL } from './messages.ts'

const ROUNDS = 5
const SECONDS = 2
/** A proxy holds some 30,000 records, and control is not to lose any. */
const MOST_RECORDS = 20_000
const DISTINCT = 100_000
const IDENTICAL = 1_000
const MB = 1_024 * 1_024

async function measureMemory(bench: Bench): Promise<void> {
  const load: Load = {
    model: MISS,
    varying: true,
    stream: null,
    connections: 64,
    seconds: 600,
    maxRequests: MOST_RECORDS,
  }
  await put({ ...load, maxRequests: 2_000 }, bench.target, bench.loader)
  await bench.control.gql('mutation { purgeCache(input: { all: true }) }')
  const before = await bench.heap()
  for (let sent = 0; sent < DISTINCT; sent += MOST_RECORDS) await put(load, bench.target, bench.loader)
  const stats = async (): Promise<{ entries: number; bytes: number; stores: number }> => {
    const { cacheStats } = await bench.control.gql<{ cacheStats: { entries: number; bytes: number; stores: number } }>(
      '{ cacheStats { entries bytes stores } }',
    )
    return cacheStats
  }
  await waitFor(async () => (await stats()).stores >= DISTINCT, { timeoutMs: 30_000, what: 'the report' })
  const { entries, bytes } = await stats()
  const after = await bench.heap()
  const mb = (value: number): string => (value / MB).toFixed(1)
  console.log(
    `memory: after ${DISTINCT} distinct bodies ${entries} entries of ${mb(bytes)} MB reported (64 at most); ` +
      `RSS ${mb(before.rss)} → ${mb(after.rss)} MB, heap ${mb(before.heapUsed)} → ${mb(after.heapUsed)} MB`,
  )
}

async function measureStorm(bench: Bench): Promise<void> {
  for (const stream of [false, true]) {
    const { promise, resolve } = Promise.withResolvers<void>()
    bench.counting.on(PROVIDER_MODEL, behaviours.onceReleased(promise, behaviours.answer()))
    const before = bench.counting.requests.length
    const body = JSON.stringify({
      model: STORM,
      stream,
      seed: Math.random(),
      messages: [{ role: 'user', content: 'x' }],
    })
    const asked = Array.from({ length: IDENTICAL }, () => open(bench.chatUrl, { headers: bench.headers(), body }))
    await sleep(2_000)
    resolve()
    const answers = await Promise.all(asked)
    const texts = new Set<string>()
    for (const answer of answers) texts.add((await answer.rest()).body.toString())
    console.log(
      `storm, ${stream ? 'streamed' : 'unstreamed'}: ${bench.counting.requests.length - before} upstream calls for ${IDENTICAL} identical requests, ${texts.size} different answers`,
    )
  }
}

async function measurePaths(bench: Bench): Promise<void> {
  const costs = new Map<string, Cost[]>([ALIAS, MISS, SHARE].map((model) => [model, []]))
  for (let round = -1; round < ROUNDS; round++) {
    for (const [model, list] of round % 2 === 0 ? [...costs] : [...costs].toReversed()) {
      const load: Load = {
        model,
        varying: true,
        stream: null,
        connections: 64,
        seconds: SECONDS,
        maxRequests: MOST_RECORDS,
      }
      const cost = await put(load, bench.target, bench.loader)
      if (round >= 0) list.push(cost)
    }
  }
  const whole = (model: string): number => median(costs.get(model)!.map((cost) => cost.whole))
  console.log(
    `paths: without a cache ${whole(ALIAS).toFixed(1)} µs of CPU a request, its record stored; ` +
      `MISS, and stored ${whole(MISS).toFixed(1)} µs (${(whole(MISS) / whole(ALIAS)).toFixed(2)}); ` +
      `could be shared ${whole(SHARE).toFixed(1)} µs (${(whole(SHARE) / whole(ALIAS)).toFixed(2)})`,
  )
}

const wanted = process.argv.slice(2)
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name)
if (!pinned) console.log('taskset is not at hand, or there is one core only: nothing is pinned, and figures waver')
await using stack = new AsyncDisposableStack()
if (isWanted('key')) measureKeys()
if (['hit', 'memory', 'storm', 'paths'].some(isWanted)) {
  const bench = await startBench(stack)
  if (isWanted('storm')) await measureStorm(bench)
  if (isWanted('hit')) await measureHit(bench, stack, ROUNDS, SECONDS, MOST_RECORDS)
  if (isWanted('paths')) await measurePaths(bench)
  if (isWanted('memory')) await measureMemory(bench)
}
