/** What the list of requests asks the database. */
import type { Scope } from '../access/scope.ts'
import type { Question, Way } from '../listing/question.ts'
import { Conditions } from './conditions.ts'
import { tokenAndRequest } from './record.question.ts'
import { searchCondition, type RequestConditions } from './request.filter.ts'

const LISTING = { table: 'request_record', facets: 'record_facet' }
/** Of latency_class and cost_class, which the database has. */
const CLASSES = { latency: { from: 0, to: 80 }, cost: { from: -80, to: 26 } }
const CLASSES_PER_DOUBLING = 4
/** Less than that, and the index on what is searched is of no use. */
const SEARCHABLE = /[\p{L}\p{N}]{3}/u

/** @param hasSearchIndex whether there is one */
export function requestQuestion(filter: RequestConditions, scope: Scope, hasSearchIndex: boolean): Question {
  const { minLatencyMs, minCostUsd, search } = filter
  const facets = new Conditions()
    .given(filter.project, 'project_id = ?')
    .given(filter.provider, 'provider_id = ?')
    .given(filter.model, 'model_group = model_group(?)')
    .given(filter.errorClass, "(status <> 'SUCCESS' and error_class = ?)")
    .givenAny(filter.status, 'status')
    .given(filter.stream, 'stream = ?')
    .givenAny(filter.cache, 'cache')
  const { facets: alike, rows, columns, ways } = tokenAndRequest(filter)
  if (minLatencyMs != null) {
    const condition = { sql: 'latency_ms >= ?', values: [minLatencyMs] }
    const values = classes(CLASSES.latency, minLatencyMs)
    rows.push(condition)
    columns.push('latency_ms')
    ways.push({ condition, by: 'latency_class(latency_ms)', values, type: 'smallint' })
  }
  if (minCostUsd != null) {
    const condition = { sql: 'cost_usd >= ?::numeric', values: [minCostUsd] }
    rows.push(condition)
    columns.push('cost_usd')
    // What costs nothing is not in the index.
    if (Number(minCostUsd) > 0)
      ways.push({
        condition,
        by: 'cost_class(cost_usd)',
        values: classes(CLASSES.cost, Number(minCostUsd)),
        type: 'smallint',
      })
  }
  if (search) {
    const condition = searchCondition(search)
    rows.push(condition)
    columns.push('model', 'request_id', 'error_message', 'user_key')
    // Over several lines it is asked of each text by itself, which no index has.
    if (hasSearchIndex && SEARCHABLE.test(search) && !search.includes('\n')) ways.push(searchWay(condition))
  }
  return {
    listing: LISTING,
    facets: [...facets.all, ...alike, ...scope.ownRows('project_id')],
    rows,
    columns: [...new Set(columns)],
    ways,
    from: filter.from ?? null,
    to: filter.to ?? null,
  }
}

function searchWay(condition: Way['condition']): Way {
  return { condition, by: null, values: [], type: 'text' }
}

/** Those of what is at least so much. */
function classes({ from, to }: { readonly from: number; readonly to: number }, least: number): number[] {
  // A little less, for what two machines round differently.
  const begun = Math.floor((Math.log2(least) - 1e-9) * CLASSES_PER_DOUBLING)
  const first = Math.max(from, Math.min(to, Number.isNaN(begun) ? from : begun))
  return Array.from({ length: to - first + 1 }, (_, i) => first + i)
}
