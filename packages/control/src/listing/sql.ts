/** Pieces of SQL with their values, put together. */
import type { SqlCondition } from '../requests/conditions.ts'

/** All of them hold. */
export function allOf(conditions: readonly SqlCondition[]): SqlCondition {
  return {
    sql: conditions.map((one) => one.sql).join(' and ') || 'true',
    values: conditions.flatMap(({ values }) => values),
  }
}

/** As the unit of work takes it. */
export function fill(piece: SqlCondition): [text: string, values: unknown[]] {
  return [piece.sql, [...piece.values]]
}

/** `sql` as a template: each piece stands where it is named, its values in that order. */
export function sql(texts: TemplateStringsArray, ...pieces: readonly (SqlCondition | string | number)[]): SqlCondition {
  const values: unknown[] = []
  const text = texts.reduce((before, after, i) => {
    const piece = pieces[i - 1]!
    if (typeof piece !== 'object') return `${before}${piece}${after}`
    values.push(...piece.values)
    return before + piece.sql + after
  })
  return { sql: text, values }
}
