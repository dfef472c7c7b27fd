import type { Em } from './database.ts'

/**
 * Runs a statement whose values (`$1`, `$2`, …) travel beside its text. The ORM writes them into the text, character by
 * character: with a value of megabytes that takes longer than the statement.
 */
export async function executeBound<Row>(em: Em, sql: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await em.getKysely().executeQuery<Row>({
    sql,
    parameters: values,
    query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
    queryId: { queryId: '' },
  })
  return rows
}
