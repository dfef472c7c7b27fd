/** What a memory hit costs beside the proxy's floor, and beside what it answers by itself. */
import { send, type Answer } from '../helpers/http.ts'
import { startProcess } from '../helpers/process.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { HIT, measured, portOf, type Bench } from './cache-bench.ts'
import { headOf, median, put, putRequest, type Cost, type FloorAnswer, type Load, type Target } from './cache-load.ts'
import { ALIAS, answerBody, DONE, PROVIDER_MODEL, streamEvents, type StreamShape } from './messages.ts'

const WANTED_RATIO = 1.3
const HUNDRED: StreamShape = { events: 100, gapMs: 0 }
/**
 * As fast as it goes, the slower of the two wakes up the load generator for each answer, and pays for it. At a rate that both
 * can keep they do so alike.
 */
const CASES = [
  { name: 'JSON of 1 KB, 4,000 a second', stream: null, ratePerSecond: 4_000 },
  { name: 'JSON of 1 KB, as fast as it goes', stream: null },
  { name: `a stream of ${HUNDRED.events} events, 2,000 a second`, stream: HUNDRED, ratePerSecond: 2_000 },
] as const
const NAMES = ['floor', 'local', 'hit'] as const
type Name = (typeof NAMES)[number]

/** The answer's own headers, without those that Node adds anew. */
function bareHeaders({ rawHeaders }: Answer): string[] {
  const dropped = ['date', 'connection', 'keep-alive', 'transfer-encoding']
  return rawHeaders.filter((_, i) => !dropped.includes(rawHeaders[i - (i % 2)]!.toLowerCase()))
}

export async function measureHit(
  bench: Bench,
  stack: AsyncDisposableStack,
  rounds: number,
  seconds: number,
  maxRequests: number,
): Promise<void> {
  const floor = stack.use(
    await startProcess({ entry: 'test/bench/floor.ts', prefix: measured, execArgv: ['--max-semi-space-size=16'] }),
  )
  const floorTarget: Target = {
    port: portOf(floor),
    pid: floor.pid,
    token: String(floor.ready['token']),
    settle: async () => undefined,
    idle: 0,
  }
  // Authenticated, written, recorded: what the proxy answers by itself, without a body to be read.
  const path = `/v1/models/${ALIAS}`
  const request = headOf(`GET ${path}`, bench.target)
  const local = await send(`${bench.proxy.ready.url}${path}`, { method: 'GET', headers: bench.headers() })
  for (const { name: what, stream, ...pace } of CASES) {
    const load: Load = { model: HIT, varying: false, stream, connections: 64, seconds, maxRequests, ...pace }
    bench.counting.on(PROVIDER_MODEL, stream ? recorded(stream) : behaviours.raw(answerBody(PROVIDER_MODEL)))
    await bench.control.gql('mutation { purgeCache(input: { all: true }) }')
    await bench.ask(load)
    const [asked, connected] = [bench.counting.requests.length, bench.counting.connections]
    const hit = await bench.ask(load)
    const answer: FloorAnswer = { type: 'answer', headers: bareHeaders(hit), body: hit.body.toString('latin1') }
    floor.send({ ...answer })
    const costs: Record<Name, Cost[]> = { floor: [], hit: [], local: [] }
    const ways: Record<Name, () => Promise<Cost>> = {
      floor: () => put(load, floorTarget, bench.loader),
      hit: () => put(load, bench.target, bench.loader),
      local: () => putRequest(request, local.body.length, load, bench.target, bench.loader),
    }
    for (let round = -1; round < rounds; round++) {
      for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
        const cost = await ways[name]()
        // The first round is for the compiler.
        if (round >= 0) costs[name].push(cost)
      }
    }
    const [more, connections] = [bench.counting.requests.length - asked, bench.counting.connections - connected]
    const at = (name: Name, of: 'answering' | 'whole'): string => median(costs[name].map((one) => one[of])).toFixed(1)
    const ratios = costs.hit.map((cost, i) => cost.answering / costs.floor[i]!.answering)
    console.log(
      `hit, ${what}: ${at('hit', 'answering')} µs of CPU a request, ` +
        `floor ${at('floor', 'answering')} µs: ratio ${median(ratios).toFixed(2)} (${ratios.map((one) => one.toFixed(2)).join(' ')}), ` +
        `wanted ${WANTED_RATIO} at most; until its record is stored ${at('hit', 'whole')} µs, of GET ${path} ${at('local', 'whole')} µs; ` +
        `upstream requests ${more}, connections ${connections}`,
    )
  }
}

/** The bench's stream, from a provider that counts. */
function recorded(shape: StreamShape): ReturnType<typeof behaviours.raw> {
  const { first, content, last, usage } = streamEvents(PROVIDER_MODEL)
  return behaviours.raw(first + content.repeat(shape.events) + last + usage + DONE, {
    headers: { 'content-type': 'text/event-stream' },
  })
}
