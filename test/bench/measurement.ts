/** One measurement: a job for the load generator, and what its target used for it. */
import type { RunningProcess } from '../helpers/process.ts'
import { cpuTime, type CpuTime } from './cpu.ts'
import { JSON_BYTES, requestBody, streamBytes, streamChunks } from './messages.ts'
import type { Job, JobResult, StreamShape } from './messages.ts'
import type { Target } from './targets.ts'

/** Figures by name; those that a target can't have are absent. */
export type Figures = Readonly<Record<string, number>>

/** Time that nginx waited for its core, because somebody else had it, in percent of the time that it ran. */
export const DISTURBANCE = 'waited %'

/** Microseconds of a target's CPU: until the last answer; and until the last record was stored, less what it uses idly. */
export interface Cpu {
  readonly answering: number
  readonly whole: number
  /** Percent; null where it can't be told. */
  readonly waited: number | null
}

export interface Load {
  readonly stream: StreamShape | null
  /** The model that clients ask for; else the target's own. */
  readonly model?: string
  readonly user?: string
  readonly connections: number
  readonly seconds: number
  readonly ratePerSecond?: number
  readonly tolerant?: boolean
}

export interface Measurement {
  readonly result: JobResult
  /** Null where it says nothing. */
  readonly cpu: Cpu | null
}

/** A request as bytes on the wire. */
function wireRequest(target: Target, port: number, model: string, { stream, user }: Load): string {
  const body = requestBody(model, stream, user)
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
 * Puts a load on a target, and waits until its records are stored: their sending is part of a request's cost.
 * @throws Error if any answer is not what it must be, unless the load is tolerant
 */
export async function put(load: Load, target: Target, loader: RunningProcess): Promise<Measurement> {
  const { stream, connections, seconds, ratePerSecond, tolerant, model = target.model } = load
  const port = stream ? target.streamPort : target.jsonPort
  const job: Job = {
    type: 'job',
    port,
    request: wireRequest(target, port, model, load),
    expectedBytes: stream ? streamBytes(stream) : JSON_BYTES,
    connections,
    seconds,
    maxRequests: target.maxRequests,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    ...(tolerant === undefined ? {} : { tolerant }),
  }
  const cpu = (): CpuTime => (target.pid === null ? { used: 0, waited: 0 } : cpuTime(target.pid))
  const before = cpu()
  const answered = loader.message(isResult)
  loader.send({ ...job })
  const result = await answered
  const answering = cpu().used - before.used
  if (result.error !== null) throw new Error(`${target.name}, ${model}: ${result.error}`)
  checkSample(result.sample, model, stream)
  target.count(result.requests + result.failures)
  const answeredAt = performance.now()
  await target.settle()
  if (target.pid === null) return { result, cpu: null }
  const { used, waited } = cpu()
  const whole = used - before.used - (target.idle * (performance.now() - answeredAt)) / 1_000
  // Of the time that it ran, whatever for.
  const waitedPercent =
    waited === null || before.waited === null ? null : ((waited - before.waited) / (used - before.used)) * 100
  return { result, cpu: { answering, whole, waited: waitedPercent } }
}

function isResult(message: unknown): message is JobResult {
  return (message as { type?: unknown } | null)?.type === 'result'
}

/** Lengths are checked of every answer; of the first, also what it says. */
function checkSample(sample: string, model: string, stream: StreamShape | null): void {
  const models = sample.match(new RegExp(`"model":"${model}"`, 'g'))?.length ?? 0
  const wanted = stream ? streamChunks(stream) - 1 : 1
  const usage = sample.includes('"usage"')
  if (models !== wanted || usage === (stream !== null) || (stream !== null && !sample.endsWith('data: [DONE]\n\n'))) {
    throw new Error(`${model}: a wrong answer: ${sample.slice(0, 500)} … ${sample.slice(-500)}`)
  }
}

/** Of sorted values. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}
