/** What a list is asked. */
import type { SqlCondition } from '../requests/conditions.ts'

/** A table that is listed by `started_at` and `id`, the newest first, and that of its facets. */
export interface Listing {
  readonly table: string
  readonly facets: string
}

/** What an index finds rows by. */
export interface Way {
  /** What holds of them. */
  readonly condition: SqlCondition
  /** The indexed expression; null: it is not one of equality, and has an index of its own. */
  readonly by: string | null
  /** The expression's values that they have, one or many, and their type. */
  readonly values: readonly (string | number)[]
  readonly type: string
  /** Whether there are few of them, whoever asks. */
  readonly few?: boolean
}

export interface Question {
  readonly listing: Listing
  /** Over the facets' table. */
  readonly facets: readonly SqlCondition[]
  /** Over the table itself. */
  readonly rows: readonly SqlCondition[]
  /** The columns that those need, beside id, started_at and facet. */
  readonly columns: readonly string[]
  readonly ways: readonly Way[]
  /** Rows that started at this moment or later. */
  readonly from: Date | null
  /** Rows that started before this moment. */
  readonly to: Date | null
}

/** Where a row stands. `startedAt` as the database writes it. */
export interface Place {
  readonly startedAt: string
  readonly id: string
}
