/** What routing costs: the plain path and aliases of ten routes in the same process, in turns. */
import { put } from './measurement.ts'
import { ALIAS, ROUTED_ALIAS, TEN_ALIAS, VARYING_USER } from './messages.ts'
import { median } from './report.ts'
import type { Scenario } from './scenario.ts'
import type { Bench, Target } from './targets.ts'

/** There and back: what slows the machine down for a while does so to all of them. */
const TURNS = [ALIAS, TEN_ALIAS, ROUTED_ALIAS, ROUTED_ALIAS, TEN_ALIAS, ALIAS] as const
/** In one round. */
const TIMES = 2

export const ROUTING: Scenario = {
  name: 'routing',
  gatewayOnly: true,
  mostRounds: 2,
  warmUp: (target, bench, seconds) => inTurns(target, bench, seconds),
  async measure(target, bench, seconds) {
    const taken = new Map<string, number[]>()
    for (let time = 0; time < TIMES; time++) {
      for (const [model, cpu] of await inTurns(target, bench, seconds)) {
        taken.set(model, [...(taken.get(model) ?? []), cpu])
      }
    }
    const [plain, ten, routed] = [ALIAS, TEN_ALIAS, ROUTED_ALIAS].map((model) => median(taken.get(model)!))
    return {
      'one route CPU µs/request': plain!,
      'ten routes adds CPU µs': ten! - plain!,
      'strategy and sticky adds CPU µs': routed! - ten!,
      'routing adds CPU µs in all': routed! - plain!,
      'routing ÷ one route, CPU': routed! / plain!,
    }
  },
}

/** CPU a request of each turn, which takes a quarter of the time: control has to store what comes of it. */
async function inTurns(target: Target, { loader }: Bench, seconds: number): Promise<[model: string, cpu: number][]> {
  const taken: [string, number][] = []
  for (const model of TURNS) {
    const load = { stream: null, model, user: VARYING_USER, connections: 64, seconds: seconds / 4 }
    const { result, cpu } = await put(load, target, loader)
    taken.push([model, (cpu?.whole ?? Number.NaN) / result.requests])
  }
  return taken
}
