/** The scenarios of the plain path: one route, which answers. */
import { DISTURBANCE, put, quantile, type Cpu, type Figures } from './measurement.ts'
import { AT_A_GAP, SATURATED, streamChunks, type JobResult, type StreamShape } from './messages.ts'
import type { ScenarioName } from './options.ts'
import type { Scenario } from './scenario.ts'

interface Plain {
  readonly name: ScenarioName
  readonly stream: StreamShape | null
  readonly connections: number
  readonly ratePerSecond?: number
  readonly figures: (result: JobResult, cpu: Cpu | null) => Figures
}

function plain({ name, figures, ...load }: Plain): Scenario {
  return {
    name,
    gatewayOnly: false,
    mostRounds: Infinity,
    warmUp: (target, { loader }, seconds) => put({ ...load, seconds }, target, loader),
    async measure(target, { loader }, seconds) {
      const { result, cpu } = await put({ ...load, seconds }, target, loader)
      const own = figures(result, cpu)
      return cpu === null || cpu.waited === null ? own : { ...own, [DISTURBANCE]: cpu.waited }
    },
  }
}

function streamFigures(prefix: string, shape: StreamShape) {
  return (result: JobResult, cpu: Cpu | null): Figures => {
    const chunks = result.requests * streamChunks(shape)
    return {
      [`${prefix} chunks/s`]: chunks / result.seconds,
      ...(cpu === null
        ? {}
        : {
            [`${prefix} CPU µs/chunk`]: cpu.whole / chunks,
            [`${prefix} busy %`]: cpu.answering / result.seconds / 10_000,
          }),
    }
  }
}

export const PLAIN: readonly Scenario[] = [
  plain({
    name: 'json',
    stream: null,
    connections: 64,
    figures: (result, cpu) => ({
      'JSON requests/s': result.requests / result.seconds,
      ...(cpu === null
        ? {}
        : {
            'JSON CPU µs/request': cpu.whole / result.requests,
            'JSON busy %': cpu.answering / result.seconds / 10_000,
          }),
    }),
  }),
  plain({ name: 'sse', stream: AT_A_GAP, connections: 200, figures: streamFigures('SSE gap', AT_A_GAP) }),
  plain({ name: 'saturated', stream: SATURATED, connections: 16, figures: streamFigures('SSE saturated', SATURATED) }),
  plain({
    name: 'latency',
    stream: null,
    connections: 64,
    ratePerSecond: 500,
    figures: ({ latencies }) => ({ 'p50 ms': quantile(latencies, 0.5), 'p99 ms': quantile(latencies, 0.99) }),
  }),
]
