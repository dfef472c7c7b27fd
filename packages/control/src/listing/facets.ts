/** Which facets a filter means. */
import type { Em } from '../db/database.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import type { Question } from './question.ts'
import { allOf, fill } from './sql.ts'

/** More are not named one by one. */
const MOST_NAMED = 2_000

export interface Facets {
  /** Those that are meant; null: too many to be named. */
  readonly named: readonly string[] | null
  /** That a row has one of them. */
  readonly condition: SqlCondition
}

/** Null if the filter asks for nothing that facets tell. */
export async function facetsOf(em: Em, { listing, facets, from, to }: Question): Promise<Facets | null> {
  if (facets.length === 0) return null
  const meant = allOf([
    ...facets,
    ...(from === null
      ? []
      : [{ sql: `month >= date_trunc('month', ?::timestamptz at time zone 'UTC')`, values: [from] }]),
    ...(to === null ? [] : [{ sql: `month <= ?::timestamptz at time zone 'UTC'`, values: [to] }]),
  ])
  const which = `select facet from ${listing.facets} where ${meant.sql}`
  const rows = await em.execute<{ facet: string }[]>(
    ...fill({
      sql: `select distinct facet::text as facet from (${which}) as meant limit ${MOST_NAMED + 1}`,
      values: meant.values,
    }),
  )
  if (rows.length > MOST_NAMED) return { named: null, condition: oneOf({ sql: which, values: meant.values }) }
  const named = rows.map(({ facet }) => facet)
  return { named, condition: oneOf({ sql: 'select unnest(?::bigint[])', values: [`{${named.join()}}`] }) }
}

/** `is true`: as a plain condition it would be joined with, and the order lost. */
function oneOf({ sql, values }: SqlCondition): SqlCondition {
  return { sql: `(facet in (${sql})) is true`, values }
}
