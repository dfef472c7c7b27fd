/** Whose requests an alias keeps with one route, and what becomes of this request's binding. */
import { stickyKey, stickyScopeOf, stickySubjectOf, type Decision, type StickyScope } from '@millrace/shared'

import { textHeader } from '../request/client-headers.ts'
import type { Flight } from '../request/flight.ts'
import type { CompiledAlias, CompiledRoute } from '../snapshot/compiled.ts'
import type { Binding, Bound } from '../sticky/bindings.ts'
import type { LiveView } from './live-view.ts'

/** One request's binding. */
export class StickyRequest {
  readonly scope: StickyScope
  /** Null where the request has no subject of that scope. */
  readonly key: string | null
  /** What came of the last look at the binding; null before that. */
  bound: Bound | null = null
  private readonly flight: Flight
  private readonly alias: CompiledAlias

  constructor(flight: Flight, view: LiveView) {
    const { alias } = flight.found
    const { headers } = flight.lead.req
    this.flight = flight
    this.alias = alias
    const { scope } = alias.sticky
    this.scope = scope === 'NONE' ? scope : stickyScopeOf(scope, textHeader(headers, 'x-millrace-sticky'))
    const subject = this.scope === 'NONE' ? null : stickySubjectOf(this.scope, view)
    this.key = subject === null ? null : stickyKey(alias.id!, view.projectId, this.scope, subject)
  }

  /** The route that the request is bound to: as before if that is among the candidates, else the decision's choice. */
  bind({ tier, chosen }: Decision<CompiledRoute>): CompiledRoute | Promise<CompiledRoute> {
    if (this.key === null) return chosen!
    const accept: string[] = []
    for (const { id } of tier) accept.push(id!)
    const { sticky } = this.flight.lead.gateway
    const bound = sticky.bind(this.key, accept, chosen!.id!, this.alias.sticky.ttlSeconds * 1000)
    return bound instanceof Promise ? this.take(bound, tier, chosen!) : this.routeOf(bound, tier, chosen!)
  }

  /** A route has answered. If the one that was bound to has failed before, the binding moves. */
  answered({ id }: CompiledRoute): void {
    const { key, bound } = this
    if (key === null || bound === null || id === null || !this.hasFailed(bound.binding.routeId)) return
    const { sticky } = this.flight.lead.gateway
    const moved = sticky.move(key, bound.binding.routeId, id, this.alias.sticky.ttlSeconds * 1000)
    this.bound = { binding: { ...bound.binding, routeId: id }, action: 'REBIND_UNAVAILABLE', backend: bound.backend }
    if (moved instanceof Promise) void this.noteLater(moved)
    else this.note(moved)
  }

  /** Being slower than a hedge is no failure; nor is it one that this request cannot be put to a provider. */
  private hasFailed(routeId: string): boolean {
    return this.flight.attempts.some(
      ({ route, failure }) => route.id === routeId && failure && !failure.lost && failure.unsent === null,
    )
  }

  /** As it stands now: another request may have moved it first. */
  private note(binding: Binding | null): void {
    if (binding !== null) this.bound = { ...this.bound!, binding }
  }

  private async noteLater(moved: Promise<Binding | null>): Promise<void> {
    this.note(await moved)
  }

  private async take(
    bound: Promise<Bound>,
    tier: readonly CompiledRoute[],
    chosen: CompiledRoute,
  ): Promise<CompiledRoute> {
    return this.routeOf(await bound, tier, chosen)
  }

  private routeOf(bound: Bound, tier: readonly CompiledRoute[], chosen: CompiledRoute): CompiledRoute {
    this.bound = bound
    const routeId = bound.binding.routeId
    return tier.find(({ id }) => id === routeId) ?? chosen
  }
}
