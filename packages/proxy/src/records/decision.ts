/** A decision in its record's JSON. Most of it is the same for every request of an alias, and is written once. */
import { recordText, type StickyOutcomeRecord } from '@millrace/shared'

import { paidBy } from '../request/account.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Flight } from '../request/flight.ts'
import type { DecisionDraft } from '../routing/decision-draft.ts'
import { modelFor } from '../routing/price.ts'
import type { StickyRequest } from '../routing/sticky.ts'
import type { CompiledAlias, CompiledRoute } from '../snapshot/compiled.ts'

/** What candidates begin with, without what a request decides; null where a request's model goes in. Gone with the alias. */
const beginnings = new WeakMap<CompiledAlias, (string | null)[]>()

const NOT_STICKY = stickyJson({
  scope: 'NONE',
  key: null,
  routeId: null,
  hit: false,
  action: 'NONE',
  backend: 'memory',
  boundAt: null,
  expiresAt: null,
})

/** The member `decision` of a record, after a comma, as DecisionRecord of shared/record.ts; nothing where there was none. */
export function decisionMember(exchange: Exchange): string {
  const flight = paidBy(exchange)
  return flight === null || flight.decision === null ? '' : `,"decision":${decisionJson(flight, flight.decision)}`
}

function decisionJson(flight: Flight, { alias, decision, scores, sticky }: DecisionDraft): string {
  const { answering, attempts } = flight
  const answered = answering?.route ?? null
  const known = beginningsOf(alias)
  let candidates = ''
  for (let i = 0; i < decision.routes.length; i++) {
    const route = decision.routes[i]!
    const excluded = decision.excluded[i]
    candidates += known[i] ?? beginning(route, modelFor(route, flight.found))
    candidates += scoreJson(scores[i]!)
    // Absent: null and false.
    if (excluded) candidates += `,"excluded":"${excluded}"`
    candidates += route === answered ? ',"selected":true},' : '},'
  }
  const selected = answered?.id ?? null
  const fallback = answered !== null && attempts[0]!.route !== answered
  return (
    `{"strategy":${alias.strategy === null ? 'null' : `"${alias.strategy}"`},"candidates":[${candidates.slice(0, -1)}],` +
    `"sticky":${sticky.scope === 'NONE' ? NOT_STICKY : stickyJson(outcomeOf(sticky))},` +
    `"selectedRouteId":${selected === null ? 'null' : `"${selected}"`},"fallbackUsed":${fallback}}`
  )
}

function beginningsOf(alias: CompiledAlias): readonly (string | null)[] {
  let known = beginnings.get(alias)
  if (known === undefined) {
    known = alias.routes.map((route) => {
      const model = modelOf(alias, route)
      return model === null ? null : beginning(route, model)
    })
    beginnings.set(alias, known)
  }
  return known
}

/** What a route asks its provider for, if that is the same for every request. */
function modelOf({ id, name }: CompiledAlias, { providerModel }: CompiledRoute): string | null {
  if (providerModel === null) return id === null || name.endsWith('*') ? null : name
  return providerModel.endsWith('*') ? null : providerModel
}

function beginning({ id, provider, priority, weight }: CompiledRoute, model: string): string {
  const json = JSON.stringify({
    routeId: id,
    providerId: provider.id,
    providerName: provider.name,
    providerModel: recordText(model),
    priority,
    weight,
  })
  return `${json.slice(0, -1)},"score":`
}

/** To three places: what is beyond is noise, and costs more to write than all the rest. */
function scoreJson(score: number | null): string {
  return score === null || !Number.isFinite(score) ? 'null' : String(Math.round(score * 1000) / 1000)
}

function outcomeOf({ scope, key, bound }: StickyRequest): StickyOutcomeRecord {
  const binding = bound?.binding ?? null
  return {
    scope,
    key: key === null ? null : recordText(key),
    routeId: binding?.routeId ?? null,
    hit: bound?.action === 'HIT',
    action: bound?.action ?? 'NONE',
    backend: bound?.backend ?? 'memory',
    boundAt: binding && new Date(binding.boundAt).toISOString(),
    expiresAt: binding && new Date(binding.expiresAt).toISOString(),
  }
}

function stickyJson(outcome: StickyOutcomeRecord): string {
  return JSON.stringify(outcome)
}
