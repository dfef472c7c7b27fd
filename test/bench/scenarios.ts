/** What is measured, and how one measurement is made. */
import type { RunningProcess } from '../helpers/process.ts'
import { cpuTime, type CpuTime } from './cpu.ts'
import {
  AT_A_GAP,
  JSON_BYTES,
  requestBody,
  SATURATED,
  streamBytes,
  streamChunks,
  type Job,
  type JobResult,
  type StreamShape,
} from './messages.ts'
import type { ScenarioName } from './options.ts'
import type { Target } from './targets.ts'

/** Figures of one measurement, by name; those that a target can't have are absent. */
export type Figures = Readonly<Record<string, number>>

/** Microseconds of a target's CPU: until the last answer, and until the last record was stored. */
export interface Cpu {
  readonly answering: number
  readonly whole: number
}

export interface Scenario {
  readonly name: ScenarioName
  readonly stream: StreamShape | null
  readonly connections: number
  readonly ratePerSecond?: number
  figures(result: JobResult, cpu: Cpu | null): Figures
}

/** Time that nginx waited for its core, because somebody else had it, in percent of the time that it ran. */
export const DISTURBANCE = 'waited %'

const perSecond = (result: JobResult): number => result.requests / result.seconds

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

export const scenarios: readonly Scenario[] = [
  {
    name: 'json',
    stream: null,
    connections: 64,
    figures: (result, cpu) => ({
      'JSON requests/s': perSecond(result),
      ...(cpu === null
        ? {}
        : {
            'JSON CPU µs/request': cpu.whole / result.requests,
            'JSON busy %': cpu.answering / result.seconds / 10_000,
          }),
    }),
  },
  {
    name: 'sse',
    stream: AT_A_GAP,
    connections: 200,
    figures: streamFigures('SSE gap', AT_A_GAP),
  },
  {
    name: 'saturated',
    stream: SATURATED,
    connections: 16,
    figures: streamFigures('SSE saturated', SATURATED),
  },
  {
    name: 'latency',
    stream: null,
    connections: 64,
    ratePerSecond: 500,
    figures: ({ latencies }) => ({ 'p50 ms': quantile(latencies, 0.5), 'p99 ms': quantile(latencies, 0.99) }),
  },
]

/** Of sorted values. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

/** The request of a scenario to a target, as bytes on the wire. */
function wireRequest(target: Target, port: number, stream: StreamShape | null): string {
  const body = requestBody(target.model, stream)
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${target.token}`,
    'content-type: application/json',
    'accept: application/json',
    'user-agent: millrace-bench/1',
    `content-length: ${body.length}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/**
 * Runs a scenario once against a target, and waits until its records are stored.
 * @throws Error if any answer is not what it must be
 */
export async function measure(
  scenario: Scenario,
  target: Target,
  loader: RunningProcess,
  seconds: number,
): Promise<Figures> {
  const { stream, connections, ratePerSecond } = scenario
  const port = stream ? target.streamPort : target.jsonPort
  const job: Job = {
    type: 'job',
    port,
    request: wireRequest(target, port, stream),
    expectedBytes: stream ? streamBytes(stream) : JSON_BYTES,
    connections,
    seconds,
    maxRequests: target.maxRequests,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
  }
  const cpu = (): CpuTime => (target.pid === null ? { used: 0, waited: 0 } : cpuTime(target.pid))
  const before = cpu()
  const answered = loader.message(isResult)
  loader.send({ ...job })
  const result = await answered
  const answering = cpu().used - before.used
  if (result.error !== null) throw new Error(`${target.name}, ${scenario.name}: ${result.error}`)
  checkSample(result.sample, target, stream, scenario.name)
  target.count(result.requests)
  // The sending of records is part of a request's cost.
  await target.settle()
  if (target.pid === null) return scenario.figures(result, null)
  const { used, waited } = cpu()
  const whole = used - before.used
  const figures = scenario.figures(result, { answering, whole })
  if (waited === null || before.waited === null) return figures
  return { ...figures, [DISTURBANCE]: ((waited - before.waited) / whole) * 100 }
}

function isResult(message: unknown): message is JobResult {
  return (message as { type?: unknown } | null)?.type === 'result'
}

/** Lengths are checked of every answer; of the first, also what it says. */
function checkSample(sample: string, target: Target, stream: StreamShape | null, scenario: string): void {
  const models = sample.match(new RegExp(`"model":"${target.model}"`, 'g'))?.length ?? 0
  const wanted = stream ? streamChunks(stream) - 1 : 1
  const usage = sample.includes('"usage"')
  if (models !== wanted || usage === (stream !== null) || (stream !== null && !sample.endsWith('data: [DONE]\n\n'))) {
    throw new Error(`${target.name}, ${scenario}: a wrong answer: ${sample.slice(0, 500)} … ${sample.slice(-500)}`)
  }
}
