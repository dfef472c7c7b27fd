/** What is summed up, as SQL: of records, of what batches have added, and of what is summed up already. */
import { SKETCH_BUCKETS } from '@millrace/shared'

import { KEY_COLUMNS } from './dimensions.ts'

/** Of records, those that were billed. */
export const BILLED_SUMS = [
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'cost_usd',
] as const
export const SUMS = ['requests', 'cache_hits', 'coalesced', ...BILLED_SUMS] as const
export type Sum = (typeof SUMS)[number]
/** Sketches, and the times in records that they are of. */
export const SKETCHES = { latency: 'latency_ms', first_token: 'time_to_first_token_ms' } as const
export type Sketch = keyof typeof SKETCHES
export const SKETCH_NAMES = Object.keys(SKETCHES) as Sketch[]

/** Columns of table `usage_delta`, in its order. */
export const DELTA_COLUMNS = ['minute', ...KEY_COLUMNS, 'requests', ...BILLED_SUMS, ...SKETCH_NAMES].join(', ')
/** Of a record, those that {@link deltasOf} needs. */
export const RECORD_COLUMNS = ['started_at', ...KEY_COLUMNS, 'billed', ...BILLED_SUMS, ...Object.values(SKETCHES)].join(
  ', ',
)

/** Nothing was counted. */
export const NO_SKETCH = `''::bytea`

/** A time in milliseconds as a sketch of one: `bucketOf`, in SQL. Cut, since beyond the last bucket it may be any number. */
export function sketchOf(time: string): string {
  const bucket = `least(${SKETCH_BUCKETS - 1}, 1 + floor(ln(least(${time}, 1e12) / 0.1) / ln(1.1::double precision)))`
  return `int2send((case when ${time} > 0.1 then ${bucket} else 0 end)::smallint) || int4send(1)`
}

/** All sketches of a group put together. */
export function joinedSketches(sketch: string): string {
  return `coalesce(string_agg(${sketch}, ${NO_SKETCH}), ${NO_SKETCH})`
}

/** A sketch with each bucket once, if it is worth the trouble. */
const LONG_SKETCH = 512
export function shortened(sketch: string): string {
  return `case when length(${sketch}) <= ${LONG_SKETCH} then ${sketch} else usage_sketch(${sketch}) end`
}

/**
 * Rows of `usage_delta`: one a minute and group of what differs.
 * @param records a table of records, and what must hold of them
 */
export function deltasOf(records: string): string {
  const sums = BILLED_SUMS.map((column) => `coalesce(sum(${column}) filter (where billed), 0) as ${column}`)
  const sketches = Object.entries(SKETCHES).map(
    ([name, time]) =>
      `coalesce(string_agg(${sketchOf(time)}, ${NO_SKETCH}) filter (where ${time} is not null), ${NO_SKETCH}) as ${name}`,
  )
  const keys = KEY_COLUMNS.join(', ')
  return `
    select date_trunc('minute', started_at, 'UTC') as minute, ${keys}, count(*) as requests, ${sums.join(', ')}, ${sketches.join(', ')}
    from ${records}
    group by minute, ${keys}`
}
