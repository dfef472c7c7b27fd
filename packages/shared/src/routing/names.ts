/** The words of routing, as records, snapshots and GraphQL spell them. */

export const ROUTING_STRATEGIES = [
  'WEIGHTED',
  'ROUND_ROBIN',
  'RANDOM',
  'LEAST_LATENCY',
  'LEAST_BUSY',
  'LOWEST_COST',
] as const
/** How a route is chosen among those of equal priority. */
export type RoutingStrategy = (typeof ROUTING_STRATEGIES)[number]

export const EXCLUSIONS = [
  'DISABLED',
  'BREAKER_OPEN',
  'COOLING_DOWN',
  'CONDITION_NOT_MET',
  'AT_CONCURRENCY_LIMIT',
  'UNSUPPORTED_ENDPOINT',
  'NO_CREDENTIAL',
] as const
/** Why a route was no candidate. */
export type Exclusion = (typeof EXCLUSIONS)[number]

export const STICKY_SCOPES = ['NONE', 'TOKEN', 'USER', 'CONVERSATION'] as const
/** Whose requests stay with one route. */
export type StickyScope = (typeof STICKY_SCOPES)[number]

export const STICKY_ACTIONS = ['NONE', 'BIND', 'HIT', 'REBIND_EXPIRED', 'REBIND_UNAVAILABLE'] as const
/**
 * What became of a request's binding. REBIND_UNAVAILABLE: its route could not be taken, or had failed, or was a fallback
 * and one of better priority is available again.
 */
export type StickyAction = (typeof STICKY_ACTIONS)[number]

export const UNKNOWN_PARAMETERS = ['DROP', 'REFUSE'] as const
/** What becomes of a parameter that the chosen provider does not know. */
export type UnknownParameters = (typeof UNKNOWN_PARAMETERS)[number]

export const BREAKER_STATES = ['CLOSED', 'OPEN', 'HALF_OPEN', 'FORCED_OPEN', 'FORCED_CLOSED'] as const
export type BreakerState = (typeof BREAKER_STATES)[number]
