/** What usage has to be: by a full scan of the records, in JavaScript. */
import assert from 'node:assert/strict'

import { newId, type RequestRecord } from '@millrace/shared'
import * as fc from 'fast-check'

import type { Dimension } from '../../packages/control/dist/usage/dimensions.js'
import type { Interval } from '../../packages/control/dist/usage/interval.js'
import type { UsageBucketType, UsageQuery } from '../../packages/control/dist/usage/usage.type.js'
import { sample } from './sample.ts'

const DIMENSION_OF: Readonly<Record<Dimension, (record: RequestRecord) => string | null>> = {
  PROJECT: ({ projectId }) => projectId,
  TOKEN: ({ tokenId }) => tokenId,
  MODEL: ({ model }) => model,
  PROVIDER: ({ providerId }) => providerId,
  PROVIDER_MODEL: ({ providerModel }) => providerModel,
  STATUS: ({ status }) => status,
  ENDPOINT: ({ endpoint }) => endpoint,
}
export const DIMENSIONS = Object.keys(DIMENSION_OF) as Dimension[]

/** Of each a few, so that they come together often, and null where it may be. */
const ids = (count: number): string[] => Array.from({ length: count }, newId)
export const POOL = {
  projects: ids(3),
  tokens: ids(5),
  providers: ids(2),
  models: ['gpt', 'Claude', 'ünïcode ☂', '', `long ${'x'.repeat(4_000)}`],
  endpoints: ['/v1/chat/completions', '/v1/embeddings'],
}

function startOf(at: number, interval: Interval, from: Date): string {
  if (interval === 'TOTAL') return from.toISOString()
  const iso = new Date(at).toISOString()
  const [length, rest] = {
    MINUTE: [16, ':00.000Z'],
    HOUR: [13, ':00:00.000Z'],
    DAY: [10, 'T00:00:00.000Z'],
    MONTH: [7, '-01T00:00:00.000Z'],
  }[interval] as [number, string]
  return iso.slice(0, length) + rest
}

function isAskedFor(
  record: RequestRecord,
  { from, to, filter }: UsageQuery,
  projects: readonly string[] | null,
): boolean {
  const at = new Date(record.startedAt)
  const { project, token, model, provider, status, errorClass, stream, cache, ...rest } = filter ?? {}
  const failed = record.status === 'SUCCESS' ? null : record.errorClass
  return (
    at >= from &&
    at < to &&
    (rest.from == null || at >= rest.from) &&
    (rest.to == null || at < rest.to) &&
    (projects === null || (record.projectId !== null && projects.includes(record.projectId))) &&
    (project == null || project === record.projectId) &&
    (token == null || token === record.tokenId) &&
    (model == null || model === record.model) &&
    (provider == null || provider === record.providerId) &&
    (status == null || status.includes(record.status)) &&
    (errorClass == null || errorClass === failed) &&
    (stream == null || stream === record.stream) &&
    (cache == null || cache.includes(record.cache)) &&
    (rest.minLatencyMs == null || record.latencyMs >= rest.minLatencyMs) &&
    (rest.minCostUsd == null || (record.costUsd !== null && unitsOf(record.costUsd) >= unitsOf(rest.minCostUsd))) &&
    (rest.requestId == null || rest.requestId === record.requestId)
  )
}

const DECIMALS = 20

function unitsOf(decimal: string): bigint {
  const [whole, fraction = ''] = decimal.split('.')
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'))
}

function decimalOf(units: bigint): string {
  const digits = String(units).padStart(DECIMALS + 1, '0')
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`.replace(/\.?0+$/, '') || '0'
}

type Counted = Omit<UsageBucketType, `${string}Ms`>

interface Expected {
  readonly bucket: Counted
  readonly latencies: number[]
  readonly firstTokens: number[]
}

/** @param projects that a key is bound to */
export function scan(
  records: Iterable<RequestRecord>,
  query: UsageQuery,
  projects: readonly string[] | null = null,
): Expected[] {
  const { interval, groupBy } = query
  const asked = [...records].filter((record) => isAskedFor(record, query, projects))
  const begun = new Date(Math.max(query.from.getTime(), query.filter?.from?.getTime() ?? 0))
  const groups = Map.groupBy(asked, (record) => {
    const start = startOf(Date.parse(record.startedAt), interval ?? 'DAY', begun)
    return JSON.stringify([start, ...(groupBy ?? []).map((dimension) => DIMENSION_OF[dimension](record))])
  })
  return [...groups].map(([key, group]) => {
    const [start, ...dimensions] = JSON.parse(key) as [string, ...(string | null)[]]
    const count = (is: (record: RequestRecord) => boolean): number => group.filter(is).length
    const billed = group.filter((record) => record.billed)
    const tokens = (of: (usage: RequestRecord['usage']) => number): number =>
      billed.reduce((sum, { usage }) => sum + of(usage), 0)
    return {
      bucket: {
        start: new Date(start),
        dimensions: Object.fromEntries((groupBy ?? []).map((dimension, i) => [dimension, dimensions[i]!])),
        requests: group.length,
        errors: count(({ status }) => ['ERROR', 'TIMEOUT', 'REJECTED'].includes(status)),
        cancelled: count(({ status }) => status === 'CANCELLED'),
        cacheHits: count(({ cache }) => cache === 'HIT'),
        coalesced: count(({ cache }) => cache === 'COALESCED'),
        inputTokens: tokens(({ inputTokens }) => inputTokens),
        outputTokens: tokens(({ outputTokens }) => outputTokens),
        cachedInputTokens: tokens(({ cachedInputTokens }) => cachedInputTokens),
        reasoningTokens: tokens(({ reasoningTokens }) => reasoningTokens),
        costUsd: decimalOf(billed.reduce((sum, { costUsd }) => sum + unitsOf(costUsd ?? '0'), 0n)),
      },
      latencies: group.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b),
      firstTokens: group.flatMap(({ timeToFirstTokenMs }) => timeToFirstTokenMs ?? []).sort((a, b) => a - b),
    }
  })
}

/** By start, then as texts by what it is grouped by, null last. */
function inOrder(a: Counted, b: Counted, groupBy: readonly Dimension[]): number {
  if (+a.start !== +b.start) return +a.start - +b.start
  for (const dimension of groupBy) {
    const [one, other] = [a.dimensions[dimension] ?? null, b.dimensions[dimension] ?? null]
    if (one === other) continue
    if (one === null || other === null) return one === null ? 1 : -1
    return Buffer.compare(Buffer.from(one), Buffer.from(other))
  }
  return 0
}

/** Counts, sums and order to the last digit, percentiles as near as they are said to be. */
export function assertSame(found: readonly UsageBucketType[], all: readonly Expected[], query: UsageQuery): void {
  const expected = all.toSorted((a, b) => inOrder(a.bucket, b.bucket, [...new Set(query.groupBy)]))
  const counted = found.map((bucket) =>
    Object.fromEntries(Object.entries(bucket).filter(([name]) => !name.endsWith('Ms'))),
  )
  assert.deepEqual(
    counted,
    expected.map(({ bucket }) => bucket),
    JSON.stringify(query),
  )
  for (const [i, { latencies, firstTokens }] of expected.entries()) {
    const bucket = found[i]!
    near(bucket.latencyP50Ms, latencies, 0.5)
    near(bucket.latencyP95Ms, latencies, 0.95)
    near(bucket.latencyP99Ms, latencies, 0.99)
    near(bucket.timeToFirstTokenP50Ms, firstTokens, 0.5)
    near(bucket.timeToFirstTokenP95Ms, firstTokens, 0.95)
  }
}

/** @param times sorted */
function near(found: number | null, times: readonly number[], share: number): void {
  if (times.length === 0) return assert.equal(found, null)
  // What is shorter than a sketch tells apart.
  const exact = Math.max(0.1, times[Math.max(1, Math.ceil(share * times.length)) - 1]!)
  assert.ok(found !== null && Math.abs(found / exact - 1) <= 0.05, `p${share * 100}: ${found}, exactly ${exact}`)
}

const DAY_MS = 86_400_000
/** Of some days of the last weeks, some of them close together, in the same minute, or at its very edges. */
const NOW = Date.now()
const moment = fc
  .tuple(
    fc.constantFrom(0, 0, 1, 3, 3, 12, 40, 69).map((days) => days * DAY_MS),
    fc.oneof(fc.constant(0), fc.nat(DAY_MS)),
    fc.constantFrom(1, 60_000, 3_600_000, DAY_MS),
    fc.constantFrom(0, 0, -1, 1),
  )
  .map(([days, rest, unit, edge]) => Math.floor((NOW - days - rest) / unit) * unit + edge)

const orNull = <T>(values: readonly T[]): fc.Arbitrary<T | null> => fc.constantFrom<(T | null)[]>(null, ...values)

export const anyRecord: fc.Arbitrary<RequestRecord> = fc
  .record({
    startedAt: moment.map((at) => new Date(at).toISOString()),
    projectId: orNull(POOL.projects),
    tokenId: orNull(POOL.tokens),
    model: fc.constantFrom(...POOL.models),
    providerId: orNull(POOL.providers),
    providerModel: fc.constantFrom(null, '', 'a', 'b'),
    endpoint: fc.constantFrom(...POOL.endpoints),
    stream: fc.boolean(),
    status: fc.constantFrom(
      'SUCCESS' as const,
      'ERROR' as const,
      'TIMEOUT' as const,
      'CANCELLED' as const,
      'REJECTED' as const,
    ),
    errorClass: fc.constantFrom(null, 'upstream_5xx', 'rate_limit_exceeded'),
    cache: fc.constantFrom('HIT' as const, 'MISS' as const, 'BYPASS' as const, 'COALESCED' as const),
    billed: fc.boolean(),
    tokens: fc.tuple(fc.nat(2_147_483_647), fc.nat(5_000)),
    costUsd: fc.option(
      fc.tuple(fc.nat(99), fc.nat()).map(([whole, rest]) => `${whole}.${String(rest).padStart(20, '0')}`),
    ),
    latencyMs: fc.oneof(fc.constantFrom(0, 0.1, 1e9, 1e300), fc.double({ min: 0.2, max: 100_000_000, noNaN: true })),
    timeToFirstTokenMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true })),
  })
  .map(({ tokens: [inputTokens, outputTokens], ...rest }) => {
    const usage = { ...sample().usage, inputTokens, outputTokens, reasoningTokens: outputTokens % 7 }
    // Beyond the last bucket, all times are the same.
    return sample({ ...rest, latencyMs: Math.min(rest.latencyMs, 145_000_000), usage, decision: null, attempts: [] })
  })

const interval = fc.constantFrom<Interval>('MINUTE', 'HOUR', 'DAY', 'MONTH', 'TOTAL')
const filter = fc.record(
  {
    project: fc.constantFrom(...POOL.projects),
    token: fc.constantFrom(...POOL.tokens),
    model: fc.constantFrom(...POOL.models),
    provider: fc.constantFrom(...POOL.providers),
    status: fc.subarray(['SUCCESS' as const, 'ERROR' as const, 'CANCELLED' as const]),
    errorClass: fc.constant('upstream_5xx'),
    stream: fc.boolean(),
    cache: fc.subarray(['HIT' as const, 'BYPASS' as const]),
    from: moment.map((at) => new Date(at)),
    to: moment.map((at) => new Date(at)),
    minLatencyMs: fc.constantFrom(0, 1_000),
    minCostUsd: fc.constantFrom('0', '50.5'),
  },
  { requiredKeys: [] },
)
/** Most filters ask for little: some of their parts only. */
const someFilter = fc
  .tuple(filter, fc.subarray(Object.keys(filterKeys()), { maxLength: 2 }))
  .map(([all, keys]) => Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key))))

function filterKeys(): object {
  const names = 'project token model provider status errorClass stream cache from to minLatencyMs minCostUsd'.split(' ')
  return Object.fromEntries(names.map((name) => [name, null]))
}

export const anyQuery: fc.Arbitrary<UsageQuery> = fc
  .record({
    span: fc.tuple(moment, moment).filter(([a, b]) => a !== b),
    interval,
    groupBy: fc.subarray(DIMENSIONS, { maxLength: 3 }),
    filter: fc.option(someFilter),
  })
  .map(({ span, ...rest }) => {
    const [from, end] = span.toSorted((a, b) => a - b) as [number, number]
    const to = rest.interval === 'MINUTE' ? Math.min(end, from + DAY_MS) : end
    return { from: new Date(from), to: new Date(to), ...rest }
  })

export const PERCENTILES: ReadonlySet<string> = new Set(['latencyP50Ms', 'timeToFirstTokenP50Ms'])
