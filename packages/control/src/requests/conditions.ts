/** A condition of SQL, with its values. */
export interface SqlCondition {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** What the given parts of a filter ask of the database: all of it must hold. */
export class Conditions {
  readonly all: SqlCondition[] = []

  /** If a value was given, `sql` must hold of it. */
  given<T>(value: T | null | undefined, sql: string): this {
    if (value != null) this.all.push({ sql, values: [value] })
    return this
  }

  /** If a list was given, the column must be one of it. */
  givenAny(values: readonly string[] | null | undefined, column: string): this {
    if (values == null) return this
    const wanted = [...new Set(values)]
    const marks = wanted.map(() => '?').join(', ')
    this.all.push(marks ? { sql: `${column} in (${marks})`, values: wanted } : { sql: 'false', values: [] })
    return this
  }

  /** If a text was given, the column must be it. Its index holds the first 200 characters only. */
  givenText(text: string | null | undefined, column: string): this {
    if (text != null)
      this.all.push({ sql: `(left(${column}, 200) = left(?, 200) and ${column} = ?)`, values: [text, text] })
    return this
  }
}
