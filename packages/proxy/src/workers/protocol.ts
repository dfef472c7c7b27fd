/** What a primary and its workers say to each other. Both are of one build: nothing here needs to be understood by another. */
import type { ProxyIdentity, ProxyReport } from '@millrace/shared'

import type { Hint } from '../health/breaker-hints.ts'
import type { Admission, Claim, RateLevel, SpentSum, Used } from '../limits/store.ts'
import type { MetricsJson } from '../metrics/metrics.ts'
import type { ProxyReadiness, Readiness } from '../readiness.ts'
import type { Binding, Binds } from '../sticky/store.ts'

/** By name: what a worker gives with a question, and what it is answered. */
export interface WorkerQuestions {
  readonly admit: readonly [Claim, Admission]
  readonly bind: readonly [
    given: {
      readonly key: string
      readonly accept: readonly string[]
      readonly proposed: string
      readonly ttlMs: number
    },
    answer: Binds,
  ]
  readonly move: readonly [
    given: { readonly key: string; readonly from: string; readonly to: string; readonly ttlMs: number },
    answer: Binding | null,
  ]
  readonly clear: readonly [
    given: { readonly aliasId: string; readonly key: string | null; readonly ageMs: number },
    answer: number,
  ]
  /** How the whole proxy stands. */
  readonly readiness: readonly [null, ProxyReadiness]
  /** The whole proxy's, as text. */
  readonly metrics: readonly [null, string]
}

/** By name: what a worker tells. */
export interface WorkerNews {
  /** It can be given connections. */
  readonly ready: null
  readonly settle: { readonly id: string; readonly used: Used }
  readonly raise: readonly SpentSum[]
  readonly assume: {
    readonly open: readonly Claim[]
    readonly sums: readonly SpentSum[]
    readonly rates: readonly RateLevel[]
  }
  readonly keep: { readonly key: string; readonly binding: Binding }
  readonly places: PlacesWanted
  readonly hint: Hint
  /** There is something to be reported at once. */
  readonly changed: null
  /** It takes no new requests any more. */
  readonly draining: null
  /** All that was under way is over. */
  readonly drained: null
}

export interface PrimaryQuestions {
  readonly report: readonly [null, WorkerReport]
  readonly readiness: readonly [null, Readiness]
  readonly metrics: readonly [null, MetricsJson]
}

export interface PrimaryNews {
  readonly welcome: Welcome
  readonly places: PlacesGiven
  readonly hint: Hint
  /** Take nothing new, and finish what is under way. */
  readonly stop: null
  /** Whatever has drained may end. */
  readonly end: null
}

export type WorkerReport = Omit<ProxyReport, keyof ProxyIdentity>

/** The first thing that a worker hears. */
export interface Welcome {
  /** The proxy's. */
  readonly identity: ProxyIdentity
  /** From 0; a worker that takes another's place has its number. */
  readonly index: number
  /** Where the proxy listens. */
  readonly url: string
}

/** How a worker stands with a provider that has a limit. What counts up does so within an {@link epoch}. */
export interface PlacesWanted {
  readonly providerId: string
  /** Another one each time that it comes to know of a limit where it knew of none. */
  readonly epoch: number
  /** Null: there is no limit any more. */
  readonly limit: number | null
  /** How many more it could use. */
  readonly wanted: number
  /** How many it gives back with this. */
  readonly back: number
  /** How many it has taken by itself, while it knew of no limit. */
  readonly adopted: number
  /** Counts up: how many it was granted. */
  readonly granted: number
  /** Counts up: the recalls that it has heard. */
  readonly heard: number
  /** Counts up: its questions whether there are any places. */
  readonly asked: number
}

export interface PlacesGiven {
  readonly providerId: string
  /** As the worker said. */
  readonly epoch: number
  /** How many more it may use. */
  readonly granted: number
  /** How many it is to give back: the idle ones at once, the others as they become so. */
  readonly recalled: number
  /** The last of its questions that is answered: what is not granted by now is not to be had. */
  readonly answered: number
}
