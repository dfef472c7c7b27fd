import { scores, type Decision } from '@millrace/shared'

import type { CompiledAlias, CompiledRoute } from '../snapshot/compiled.ts'
import type { LiveView } from './live-view.ts'
import type { StickyRequest } from './sticky.ts'

/** What is kept of a request's decision for its record. */
export class DecisionDraft {
  readonly alias: CompiledAlias
  readonly decision: Decision<CompiledRoute>
  readonly scores: readonly (number | null)[]
  readonly sticky: StickyRequest

  constructor(alias: CompiledAlias, decision: Decision<CompiledRoute>, view: LiveView, sticky: StickyRequest) {
    this.alias = alias
    this.decision = decision
    this.scores = scores(decision, alias.strategy, view)
    this.sticky = sticky
  }
}
