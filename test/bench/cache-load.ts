/** A load for the bench of the cache: its requests, and what its target used for them. */
import type { RunningProcess } from '../helpers/process.ts'
import { cpuTime } from './cpu.ts'
import {
  JSON_BYTES,
  requestBody,
  streamBytes,
  VARYING_USER,
  type Job,
  type JobResult,
  type StreamShape,
} from './messages.ts'

/** What the floor gives to everybody. */
export interface FloorAnswer {
  readonly type: 'answer'
  /** Names and values in turn. */
  readonly headers: readonly string[]
  /** Latin1. */
  readonly body: string
}

/** What a process holds when all that can be collected is gone; bytes. */
export interface Heap {
  readonly type: 'heap'
  readonly rss: number
  readonly heapUsed: number
}

export function isHeap(message: unknown): message is Heap {
  return (message as { type?: unknown } | null)?.type === 'heap'
}

export interface Target {
  readonly port: number
  readonly pid: number
  readonly token: string
  /** Waits until the records of requests past are stored: they are part of what these cost. */
  settle(): Promise<void>
  /** Microseconds of CPU that it uses in a second without any request. */
  idle: number
}

export interface Load {
  readonly model: string
  /** Whether each request is another one than those before. */
  readonly varying: boolean
  readonly stream: StreamShape | null
  readonly connections: number
  readonly seconds: number
  readonly maxRequests: number
  /** Absent: each connection sends its next request as soon as it has an answer. */
  readonly ratePerSecond?: number
}

/** Microseconds of CPU a request: until the last answer; and until the last record was stored. */
export interface Cost {
  readonly answering: number
  readonly whole: number
  readonly requests: number
}

/** A chat completion of 1 KB, in which the load generator finds what it is to vary. */
export function bodyOf({ model, stream, varying }: Pick<Load, 'model' | 'stream' | 'varying'>): string {
  const body = requestBody(model, stream)
  return varying ? body.replace('y'.repeat(VARYING_USER.length), VARYING_USER) : body
}

/** The bytes of a request for this. */
export function requestOf(
  load: Pick<Load, 'model' | 'stream' | 'varying'>,
  target: Pick<Target, 'port' | 'token'>,
): string {
  const body = bodyOf(load)
  return `${headOf('POST /v1/chat/completions', target, [`content-length: ${body.length}`])}${body}`
}

/** The head of a request. */
export function headOf(
  line: string,
  { port, token }: Pick<Target, 'port' | 'token'>,
  more: readonly string[] = [],
): string {
  const head = [
    `${line} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    'accept: application/json',
    'user-agent: millrace-bench/1',
    ...more,
  ]
  return `${head.join('\r\n')}\r\n\r\n`
}

/** Puts a load on a target. @throws Error if any answer is not what it must be */
export function put(load: Load, target: Target, loader: RunningProcess): Promise<Cost> {
  const expectedBytes = load.stream ? streamBytes(load.stream) : JSON_BYTES
  return putRequest(requestOf(load, target), expectedBytes, load, target, loader)
}

/** The same with a request of one's own. */
export async function putRequest(
  request: string,
  expectedBytes: number,
  { connections, seconds, maxRequests, ratePerSecond }: Omit<Load, 'model' | 'varying' | 'stream'>,
  target: Target,
  loader: RunningProcess,
): Promise<Cost> {
  const job: Job = {
    type: 'job',
    port: target.port,
    request,
    expectedBytes,
    connections,
    seconds,
    maxRequests,
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
  }
  const before = cpuTime(target.pid).used
  const answered = loader.message(isResult)
  loader.send({ ...job })
  const { requests, error } = await answered
  if (error !== null) throw new Error(error)
  const answering = cpuTime(target.pid).used - before
  const answeredAt = performance.now()
  await target.settle()
  const idle = (target.idle * (performance.now() - answeredAt)) / 1_000
  const whole = cpuTime(target.pid).used - before - idle
  return { answering: answering / requests, whole: whole / requests, requests }
}

function isResult(message: unknown): message is JobResult {
  return (message as { type?: unknown } | null)?.type === 'result'
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
