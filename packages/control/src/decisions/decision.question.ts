/** What the list of decisions asks the database. */
import type { Scope } from '../access/scope.ts'
import type { Question } from '../listing/question.ts'
import { Conditions } from '../requests/conditions.ts'
import { tokenAndRequest } from '../requests/record.question.ts'
import type { DecisionConditions } from './decision.filter.ts'

const LISTING = { table: 'route_decision', facets: 'decision_facet' }

export function decisionQuestion(filter: DecisionConditions, scope: Scope): Question {
  const facets = new Conditions()
    .given(filter.project, 'project_id = ?')
    .given(filter.alias, 'alias_id = ?')
    .given(filter.errorClass, 'error_class = ?')
    .given(filter.provider, 'asked_ids @> array[?::uuid]')
    .given(filter.route, 'asked_ids @> array[?::uuid]')
    .given(filter.stickyHit, 'sticky_hit = ?')
    .given(filter.fallbackUsed, 'fallback_used = ?')
  const { facets: alike, ...asked } = tokenAndRequest(filter)
  return {
    listing: LISTING,
    facets: [...facets.all, ...alike, ...scope.ownRows('project_id')],
    ...asked,
    from: filter.from ?? null,
    to: filter.to ?? null,
  }
}
