/** What records add to usage: a part of the statement that stores them, so that it is added with them, once, or not at all. */
import { DELTA_COLUMNS, deltasOf } from './sums.ts'

export { RECORD_COLUMNS as USAGE_COLUMNS } from './sums.ts'

/** A common table expression that follows on `inserted`: what was stored just now. */
export const USAGE_COUNTING = `usage_counted as (insert into usage_delta (${DELTA_COLUMNS}) ${deltasOf('inserted')})`
