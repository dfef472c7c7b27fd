/** Sums up what batches of records have added: one statement, so that nothing is seen twice or not at all. */
import { FINEST, GRAINS, KEY_COLUMNS, KEY_TYPES, type Grain } from './dimensions.ts'
import { MINUTE_DAYS } from './kept.ts'
import { BILLED_SUMS, DELTA_COLUMNS, deltasOf, joinedSketches, shortened, SKETCH_NAMES, SUMS } from './sums.ts'

const KEYS = KEY_COLUMNS.join(', ')
const SUMS_AND_SKETCHES = [...SUMS, ...SKETCH_NAMES].join(', ')
const ADDED = SUMS.map((sum) => `sum(${sum}) as ${sum}`).join(', ')

/** The columns as a grain tells them apart, for `values`. */
function gradedKeys({ id, columns }: Grain): string {
  const keys = KEY_COLUMNS.map((column) => (columns.includes(column) ? column : `null::${KEY_TYPES[column]}`))
  return `(${[`${id}::smallint`, ...keys].join(', ')})`
}

/**
 * A digest of all that a series is told apart by, since model names are longer than an index takes; not one for which a
 * client could find two names alike. A row's text tells null from nothing.
 */
const SERIES = `left(encode(sha256(convert_to(row(graded.grain, ${KEY_COLUMNS.map((column) => `graded.${column}`).join(', ')})::text, 'UTF8')), 'hex'), 32)::uuid`

/** Of which there are sums of minutes: a day more than is counted on, since clocks differ. */
const RECENT = `minute >= now() - interval '${(MINUTE_DAYS + 1) * 24} hours'`

/** Added to the row that is there. */
function upsert(table: string, key: string, rows: string): string {
  const sums = SUMS.map((sum) => `${sum} = old.${sum} + excluded.${sum}`)
  const sketches = SKETCH_NAMES.map((name) => `${name} = ${shortened(`(old.${name} || excluded.${name})`)}`)
  return `
    insert into ${table} as old (${key}, ${SUMS_AND_SKETCHES}) ${rows}
    on conflict (${key}) do update set ${[...sums, ...sketches].join(', ')}`
}

function gradedUpsert(table: string, unit: string): string {
  const rows = `
    select grain, series, date_trunc('${unit}', minute, 'UTC'), ${ADDED},
      ${SKETCH_NAMES.map((name) => shortened(joinedSketches(name))).join(', ')}
    from graded group by 1, 2, 3`
  return upsert(table, 'grain, series, start', rows)
}

/**
 * Takes rows like those of `usage_delta` into sums of minutes, hours and days. Gives how many `rows` and `requests` those were.
 * Hazard: only one at a time, under {@link USAGE_LOCK}: else two might wait for each other.
 * @param taken common table expressions, `taken` among them: what gives the rows, with the columns of `usage_delta`
 */
function foldStatement(taken: string): string {
  return `
  with ${taken},
  details as materialized (
    select minute, ${KEYS}, sum(requests) as requests,
      case when cache = 'HIT' then sum(requests) else 0 end as cache_hits,
      case when cache = 'COALESCED' then sum(requests) else 0 end as coalesced,
      ${BILLED_SUMS.map((sum) => `sum(${sum}) as ${sum}`).join(', ')},
      ${SKETCH_NAMES.map((name) => `${shortened(joinedSketches(name))} as ${name}`).join(', ')}
    from taken group by minute, ${KEYS}
  ),
  graded as materialized (
    select graded.*, ${SERIES} as series, minute, ${SUMS_AND_SKETCHES}
    from details cross join lateral (values ${GRAINS.map(gradedKeys).join(', ')}) as graded (grain, ${KEYS})
  ),
  series as (
    insert into usage_series (id, grain, ${KEYS})
    select distinct on (series) series, grain, ${KEYS} from graded
    on conflict (id) do nothing
  ),
  minutes as (${upsert('usage_minute', 'series, start', `select series, minute, ${SUMS_AND_SKETCHES} from graded where grain = ${FINEST.id} and ${RECENT}`)}),
  hours as (${gradedUpsert('usage_hour', 'hour')}),
  days as (${gradedUpsert('usage_day', 'day')})
  select count(*)::integer as rows, coalesce(sum(requests), 0)::double precision as requests from taken`
}

/**
 * Sums up records anew, and what has waited of them: nothing of that time may be summed up yet.
 * @param ? from and to of the records, and from and to once more
 */
export const FOLD_RECORDS = foldStatement(`
  taken as (${deltasOf('request_record where started_at >= ? and started_at < ?')}),
  waited as (delete from usage_delta where minute >= ? and minute < ?)`)

/** Takes what has been waiting longest, about. @param ? how many rows at most */
export const FOLD_DELTAS = foldStatement(`
  taken as (
    delete from usage_delta where ctid = any(array(select ctid from usage_delta limit ?)) returning ${DELTA_COLUMNS}
  )`)
