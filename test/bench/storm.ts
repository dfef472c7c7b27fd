/** A provider that is dead under load, with a healthy one beside it. */
import type { RunningProcess } from '../helpers/process.ts'
import { put, quantile } from './measurement.ts'
import { stormAlias, type DeadCalls } from './messages.ts'
import type { Scenario } from './scenario.ts'

const RATE = 1_000
const STORM_SECONDS = 8
/** By then the breaker has long been open. */
const OPEN_AFTER_MS = 1_000

/** How many storms a proxy has seen: each is to find a breaker that is closed. */
const storms = new Map<string, number>()

const plainLoad = { stream: null, connections: 64, ratePerSecond: RATE, tolerant: true } as const

export const STORM: Scenario = {
  name: 'storm',
  gatewayOnly: true,
  mostRounds: 2,
  warmUp: (target, { loader }, seconds) => put({ ...plainLoad, seconds }, target, loader),
  async measure(target, { loader, dead }) {
    const load = { ...plainLoad, seconds: STORM_SECONDS }
    const plain = await put(load, target, loader)
    const storm = storms.get(target.name) ?? 0
    storms.set(target.name, storm + 1)
    await callsOf(dead)
    const began = Date.now()
    const { result } = await put({ ...load, model: stormAlias(storm) }, target, loader)
    const late = (await callsOf(dead)).filter((at) => at - began > OPEN_AFTER_MS)
    const [own, base] = [quantile(result.latencies, 0.99), quantile(plain.result.latencies, 0.99)]
    return {
      'storm answered %': (result.requests / (result.requests + result.failures)) * 100,
      'storm p99 ms': own,
      'storm adds p99 ms': own - base,
      'storm calls a second of the dead, once open': late.length / (STORM_SECONDS - OPEN_AFTER_MS / 1_000),
    }
  },
}

/** When it was asked since it was last asked for this, in epoch milliseconds. */
async function callsOf(dead: RunningProcess): Promise<readonly number[]> {
  const answer = dead.message(isDeadCalls)
  dead.send({ type: 'calls' })
  return (await answer).at
}

function isDeadCalls(message: unknown): message is DeadCalls {
  return (message as { type?: unknown } | null)?.type === 'calls'
}
