/** A decision in its record's JSON. Most of it is the same for every request of an alias, and is written once. */
import { recordText, type StickyOutcomeRecord } from '@millrace/shared'

import type { Exchange } from '../request/exchange.ts'
import type { DecisionDraft } from '../routing/decision-draft.ts'
import { modelFor } from '../routing/price.ts'
import type { StickyRequest } from '../routing/sticky.ts'
import type { CompiledRoute } from '../snapshot/compiled.ts'

/** The beginnings of candidates, without what a request decides. Gone with the snapshot that holds the route. */
const beginnings = new WeakMap<CompiledRoute, string>()

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

/** As DecisionRecord of shared/record.ts. */
export function decisionJson(exchange: Exchange, { alias, decision, scores, sticky }: DecisionDraft): string {
  const { answering, attempts } = exchange
  const answered = answering?.route ?? null
  let candidates = ''
  for (let i = 0; i < decision.routes.length; i++) {
    const route = decision.routes[i]!
    const excluded = decision.excluded[i]
    const score = scores[i]
    candidates +=
      `${i === 0 ? '' : ','}${beginning(route, exchange)}"score":${score === null || !Number.isFinite(score) ? 'null' : score},` +
      `"excluded":${excluded ? `"${excluded}"` : 'null'},"selected":${route === answered}}`
  }
  const selected = answered?.id ?? null
  const fallback = answered !== null && attempts[0]!.route !== answered
  return (
    `{"strategy":${alias.strategy === null ? 'null' : `"${alias.strategy}"`},"candidates":[${candidates}],` +
    `"sticky":${sticky.scope === 'NONE' ? NOT_STICKY : stickyJson(outcomeOf(sticky))},` +
    `"selectedRouteId":${selected === null ? 'null' : `"${selected}"`},"fallbackUsed":${fallback}}`
  )
}

function beginning(route: CompiledRoute, exchange: Exchange): string {
  const known = beginnings.get(route)
  if (known !== undefined) return known
  const { id, provider, providerModel, priority, weight } = route
  const model = recordText(modelFor(route, exchange.found!))
  const json = JSON.stringify({
    routeId: id,
    providerId: provider.id,
    providerName: provider.name,
    providerModel: model,
    priority,
    weight,
  })
  const text = `${json.slice(0, -1)},`
  // Otherwise the model is the request's.
  if (providerModel === model) beginnings.set(route, text)
  return text
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
