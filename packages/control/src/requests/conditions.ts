/** A condition of SQL, with its values. */
export interface SqlCondition {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** What the given parts of a filter ask of the database: all of it must hold. */
export class Conditions {
  readonly all: SqlCondition[] = []

  /** If a value was given, `sql` must hold of it, or of `values` in its place. */
  given<T>(value: T | null | undefined, sql: string, ...values: unknown[]): this {
    if (value != null) this.all.push({ sql, values: values.length > 0 ? values : [value] })
    return this
  }
}
