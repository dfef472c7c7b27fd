/** The two ways to read a stretch of time: in the rows' order, and by an index. */
import type { Em } from '../db/database.ts'
import { isoOf, type Range } from '../db/time.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import type { Facets } from './facets.ts'
import type { Place, Question, Way } from './question.ts'
import type { Stretch } from './spans.ts'
import { allOf, fill, sql } from './sql.ts'

const ORDER = 'order by started_at desc, id desc'
const NOTHING: SqlCondition = { sql: '', values: [] }

/** What was read in the rows' order. */
export interface Walked {
  /** Rows, whatever they are. */
  readonly read: number
  /** The last of them. */
  readonly last: Place | null
  /** Those that are meant. */
  readonly found: readonly Place[]
  /** How many meet each way's condition. */
  readonly counts: readonly number[]
}

type Pair = readonly [startedAt: string, id: string]

/** Reads `size` rows after a place. @param count how many of those that are meant are wanted */
export async function walk(
  em: Em,
  { listing, rows, columns }: Question,
  facets: Facets | null,
  ways: readonly Way[],
  stretch: Stretch,
  after: Place | null,
  size: number,
  count: number,
): Promise<Walked> {
  const wanted = ['started_at', 'id', 'facet', ...columns].join(', ')
  const spans = stretch.map(
    (span) => sql`(select ${wanted} from ${listing.table} where ${within(span, after)} ${ORDER} limit ${size})`,
  )
  const meant = allOf([...rows, ...(facets ? [facets.condition] : [])])
  const counts = ways.map(({ condition }) => sql`(select count(*)::integer from slice where ${condition})`)
  const [row] = await em.execute<{ read: number; last: Pair | null; found: Pair[]; counts: number[] }[]>(
    ...fill(sql`
      with slice as materialized (select * from (${unionOf(spans)}) as spans ${ORDER} limit ${size})
      select
        (select count(*)::integer from slice) as read,
        (select jsonb_build_array(started_at, id) from slice order by started_at, id limit 1) as last,
        array_to_json(array[${listOf(counts)}]::integer[]) as counts,
        (
          select coalesce(jsonb_agg(jsonb_build_array(started_at, id) ${ORDER}), '[]')
          from (select started_at, id from slice where ${meant} ${ORDER} limit ${count}) as met
        ) as found`),
  )
  const { read, last, found, counts: counted } = row!
  return { read, last: last && toPlace(last), found: found.map(toPlace), counts: counted }
}

/** Reads what an index finds after a place. */
export async function byWay(
  em: Em,
  { listing, rows }: Question,
  facets: Facets | null,
  way: Way,
  stretch: Stretch,
  after: Place | null,
  count: number,
): Promise<Place[]> {
  const { by, values, type, condition } = way
  const isFacet = by === 'facet'
  const others = rows.filter((one) => one !== condition).map(unindexed)
  const met = allOf([...(isFacet ? [] : [condition]), ...others])
  const meant = isFacet || facets === null ? allOf([]) : facets.condition
  const spans = stretch.map((span) => {
    const rowsOf = (more: SqlCondition): SqlCondition =>
      sql`select started_at, id, facet from ${listing.table} where ${within(span, after)} and ${met} ${more}`
    // Facets are asked for outside: for each partition inside, the planner would weigh them anew.
    if (by === null) return sql`(select started_at, id from (${rowsOf(NOTHING)}) as found where ${meant})`
    const ordered = (value: SqlCondition): SqlCondition =>
      sql`select started_at, id from (${rowsOf(sql`and ${by} = ${value} ${ORDER}`)}) as found where ${meant} limit ${count}`
    if (values.length === 1) return sql`(${ordered(sql`${valueOf(values[0]!)}::${type}`)})`
    return sql`(
      select found.* from unnest(${valueOf(`{${values.join()}}`)}::${type}[]) as wanted (value)
      cross join lateral (${ordered({ sql: 'value', values: [] })}) as found
    )`
  })
  const found = await em.execute<{ place: Pair }[]>(
    ...fill(sql`
      with met as materialized (${unionOf(spans)})
      select jsonb_build_array(started_at, id) as place from met ${ORDER} limit ${count}`),
  )
  return found.map(({ place }) => toPlace(place))
}

/** What started in it, and stands after a place. */
export function within({ from, to }: Range, after: Place | null = null): SqlCondition {
  const given = (moment: number, condition: string): SqlCondition[] =>
    Number.isFinite(moment) ? [{ sql: condition, values: [isoOf(moment)] }] : []
  return allOf([
    ...given(from, 'started_at >= ?::timestamptz'),
    ...given(to, 'started_at < ?::timestamptz'),
    ...(after ? [{ sql: '(started_at, id) < (?::timestamptz, ?::uuid)', values: [after.startedAt, after.id] }] : []),
  ])
}

/** So that no other index is taken for a better one. */
function unindexed({ sql: text, values }: SqlCondition): SqlCondition {
  return { sql: `(${text}) is true`, values }
}

function valueOf(value: string | number): SqlCondition {
  return { sql: '?', values: [value] }
}

function unionOf(parts: readonly SqlCondition[]): SqlCondition {
  return { sql: parts.map((part) => part.sql).join(' union all '), values: parts.flatMap(({ values }) => values) }
}

function listOf(parts: readonly SqlCondition[]): SqlCondition {
  return { sql: parts.map((part) => part.sql).join(', '), values: parts.flatMap(({ values }) => values) }
}

function toPlace([startedAt, id]: Pair): Place {
  return { startedAt, id }
}
