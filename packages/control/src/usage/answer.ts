/** One answer as one statement, so that it is of one moment: what a batch has just added is seen once. */
import { isoOf, type Range } from '../db/time.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import { DIMENSION_COLUMNS, FINEST, type Dimension, type Grain } from './dimensions.ts'
import type { Interval } from './interval.ts'
import type { Piece } from './plan.ts'
import { joinedSketches, NO_SKETCH, sketchOf, SKETCHES, SUMS, type Sketch, type Sum } from './sums.ts'

export interface Asked {
  readonly range: Range
  readonly pieces: readonly Piece[]
  readonly interval: Interval
  readonly groupBy: readonly Dimension[]
  /** Has all columns that it is grouped by, or that conditions are about. */
  readonly grain: Grain
  /** Of the columns of records that are in the grain too; of any, where all pieces are of records. */
  readonly conditions: readonly SqlCondition[]
  readonly sketches: readonly Sketch[]
}

/** Texts, since some are larger than a number holds: whole numbers, and `cost_usd` a decimal. */
export type AnswerRow = Readonly<
  { start: number; dimensions: (string | null)[]; errors: string; cancelled: string } & Record<Sum, string> &
    Partial<Record<Sketch, Uint8Array | null>>
>

export interface AnswerLimits {
  readonly rows: number
  /** Of all sketches of a kind: where there are more, all of them are null. */
  readonly sketchBytes: number
}

export function answerStatement(asked: Asked, limits: AnswerLimits): SqlCondition {
  const { range, interval, groupBy, sketches } = asked
  const parts = [...asked.pieces.map((piece) => partOf(asked, piece)), ...waitingParts(asked)]
  const start = interval === 'TOTAL' ? `'${isoOf(range.from)}'::timestamptz` : `date_trunc('${interval}', at, 'UTC')`
  const dimensions = groupBy.map((dimension) => `${DIMENSION_COLUMNS[dimension]}::text collate "C"`)
  const sums = SUMS.map((sum) => `${sum === 'cost_usd' ? 'trim_scale(sum(cost_usd))' : `sum(${sum})`}::text as ${sum}`)
  const sql = `
    select (extract(epoch from start) * 1000)::double precision as start, dimensions, errors, cancelled,
      ${[...SUMS, ...sketches.map((name) => `case when sum(length(${name})) over () <= ${limits.sketchBytes} then ${name} end as ${name}`)].join(', ')}
    from (
      select ${start} as start, array[${dimensions.join(', ')}]::text[] as dimensions,
        coalesce(sum(requests) filter (where status in ('ERROR', 'TIMEOUT', 'REJECTED')), 0)::text as errors,
        coalesce(sum(requests) filter (where status = 'CANCELLED'), 0)::text as cancelled,
        ${[...sums, ...sketches.map((name) => `${joinedSketches(name)} as ${name}`)].join(', ')}
      from (${parts.map((one) => one.sql).join(' union all ')}) as part
      group by 1, 2
    ) as bucket
    order by bucket.start, bucket.dimensions collate "C" limit ${limits.rows}`
  return { sql, values: parts.flatMap(({ values }) => values) }
}

const TABLES = { day: 'usage_day', hour: 'usage_hour', minute: 'usage_minute' } as const

function partOf(asked: Asked, { tier, from, to }: Piece): SqlCondition {
  if (tier === 'record') return part(asked, 'started_at', RECORD_SUMS, RECORD_SKETCHES, 'request_record', { from, to })
  const grain = tier === 'minute' ? FINEST.id : asked.grain.id
  const graded = tier === 'minute' ? '' : `sums.grain = ${grain} and `
  const table = `${TABLES[tier]} as sums join usage_series as series on ${graded}series.grain = ${grain} and series.id = sums.series`
  return part(asked, 'start', SUM_SUMS, SUM_SKETCHES, table, { from, to })
}

/** What batches have added, and is in no sums yet. */
function waitingParts(asked: Asked): SqlCondition[] {
  const ranges = summedRanges(asked.pieces)
  return ranges.map((range) => part(asked, 'minute', DELTA_SUMS, SUM_SKETCHES, 'usage_delta', range))
}

/** What pieces of sums cover, in as few ranges as can be. */
function summedRanges(pieces: readonly Piece[]): Range[] {
  const ranges: Range[] = []
  for (const { tier, from, to } of pieces) {
    if (tier === 'record') continue
    const last = ranges.at(-1)
    if (last?.to === from) ranges[ranges.length - 1] = { from: last.from, to }
    else ranges.push({ from, to })
  }
  return ranges
}

type Sums = Readonly<Record<Sum, string>>
type Sketches = Readonly<Record<Sketch, string>>

const SUM_SUMS = Object.fromEntries(SUMS.map((sum) => [sum, sum])) as Sums
const SUM_SKETCHES: Sketches = { latency: 'latency', first_token: 'first_token' }
const DELTA_SUMS: Sums = {
  ...SUM_SUMS,
  cache_hits: `case when cache = 'HIT' then requests else 0 end`,
  coalesced: `case when cache = 'COALESCED' then requests else 0 end`,
}
const billed = (column: string): string => `case when billed then ${column} else 0 end`
const RECORD_SUMS: Sums = {
  requests: '1',
  cache_hits: `case when cache = 'HIT' then 1 else 0 end`,
  coalesced: `case when cache = 'COALESCED' then 1 else 0 end`,
  input_tokens: billed('input_tokens'),
  output_tokens: billed('output_tokens'),
  cached_input_tokens: billed('cached_input_tokens'),
  reasoning_tokens: billed('reasoning_tokens'),
  cost_usd: `case when billed then coalesce(cost_usd, 0) else 0 end`,
}
const RECORD_SKETCHES: Sketches = {
  latency: sketchOf(SKETCHES.latency),
  first_token: `case when ${SKETCHES.first_token} is null then ${NO_SKETCH} else ${sketchOf(SKETCHES.first_token)} end`,
}

/** @param at the column that says when */
function part(
  { groupBy, conditions, sketches }: Asked,
  at: string,
  sums: Sums,
  sketchTexts: Sketches,
  table: string,
  { from, to }: Range,
): SqlCondition {
  const columns = [
    `${at} as at`,
    ...new Set(['status', ...groupBy.map((dimension) => DIMENSION_COLUMNS[dimension])]),
    ...SUMS.map((sum) => `${sums[sum]} as ${sum}`),
    ...sketches.map((name) => `${sketchTexts[name]} as ${name}`),
  ]
  const all = [{ sql: `${at} >= ? and ${at} < ?`, values: [isoOf(from), isoOf(to)] }, ...conditions]
  return {
    sql: `select ${columns.join(', ')} from ${table} where ${all.map(({ sql }) => sql).join(' and ')}`,
    values: all.flatMap(({ values }) => values),
  }
}
