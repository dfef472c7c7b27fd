/** What lists of records and of their decisions ask the database alike. */
import type { Way } from '../listing/question.ts'
import { Conditions, type SqlCondition } from './conditions.ts'
import type { RecordConditions } from './record.filter.ts'

interface Asked {
  /** Over either table of facets. */
  readonly facets: SqlCondition[]
  readonly rows: SqlCondition[]
  readonly columns: string[]
  readonly ways: Way[]
}

/** Of a token, of a request id: what both tables have, and an index for it. */
export function tokenAndRequest({ token, requestId }: RecordConditions): Asked {
  const asked: Asked = { facets: [], rows: [], columns: [], ways: [] }
  if (token != null) {
    const condition = { sql: 'token_id = ?', values: [token] }
    asked.facets.push({
      sql: '(project_id is null or project_id in (select project_id from record_token where token_id = ?))',
      values: [token],
    })
    asked.rows.push(condition)
    asked.columns.push('token_id')
    asked.ways.push({ condition, by: 'token_id', values: [token], type: 'uuid' })
  }
  if (requestId != null) {
    const [condition] = new Conditions().givenText(requestId, 'request_id').all
    asked.rows.push(condition!)
    asked.columns.push('request_id')
    const cut = Array.from(requestId).slice(0, 200).join('')
    asked.ways.push({ condition: condition!, by: 'left(request_id, 200)', values: [cut], type: 'text', few: true })
  }
  return asked
}
