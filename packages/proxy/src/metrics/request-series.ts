/**
 * What is counted of requests, by the names that stand in Prometheus's labels. Names, not ids: a series outlives the
 * configuration that named it, and none ever goes back. How many there can be is bounded; what comes to be known when all
 * are in use is counted under `other`.
 */
import { Distribution, DURATIONS, FIRST_TOKENS, OVERHEADS } from './distribution.ts'

/** In place of a name for which there is no room. */
export const OTHER = 'other'
/** Pairs of an alias and a provider. A scrape reads some forty lines of each, and holds up requests meanwhile. */
const MOST_PAIRS = 300
/** Those beyond, of any alias at a provider. */
const MOST_OVER = 50
/** Of all pairs together. */
const MOST_PATHS = 400
const MOST_STATUSES = 2_000
const MOST_ENDPOINTS = 100
const MOST_OUTCOMES = 2_000

/** Requests to one endpoint, by one alias, answered by one provider. */
export class PathSeries {
  readonly endpoint: string
  readonly duration = new Distribution(DURATIONS)
  /** Each that there was, and how often. */
  readonly statuses: number[] = []
  readonly counts: number[] = []

  constructor(endpoint: string) {
    this.endpoint = endpoint
  }
}

/** Of one alias and one provider, either of which may be none: empty. */
export class PairSeries {
  readonly alias: string
  readonly provider: string
  readonly firstToken = new Distribution(FIRST_TOKENS)
  inputTokens = 0
  outputTokens = 0
  /** In floating point: to the last decimal it is known to the control plane. */
  costUsd = 0
  readonly paths: PathSeries[] = []

  constructor(alias: string, provider: string) {
    this.alias = alias
    this.provider = provider
  }
}

export class OutcomeSeries {
  readonly provider: string
  readonly outcome: string
  count = 0

  constructor(provider: string, outcome: string) {
    this.provider = provider
    this.outcome = outcome
  }
}

export class RequestSeries {
  readonly pairs: PairSeries[] = []
  readonly outcomes: OutcomeSeries[] = []
  /** By endpoint. */
  readonly overheads = new Map<string, Distribution>()
  private readonly byAlias = new Map<string, Map<string, PairSeries>>()
  private readonly byProvider = new Map<string, Map<string, OutcomeSeries>>()
  private pathCount = 0
  private statusCount = 0

  pairOf(alias: string, provider: string): PairSeries {
    const known = this.byAlias.get(alias)?.get(provider)
    if (known !== undefined) return known
    if (alias === OTHER && provider === OTHER) return this.addPair(alias, provider)
    if (alias === OTHER)
      return this.pairs.length < MOST_PAIRS + MOST_OVER ? this.addPair(alias, provider) : this.pairOf(OTHER, OTHER)
    return this.pairs.length < MOST_PAIRS ? this.addPair(alias, provider) : this.pairOf(OTHER, provider)
  }

  pathOf(pair: PairSeries, endpoint: string): PathSeries {
    const { paths } = pair
    for (let i = 0; i < paths.length; i++) if (paths[i]!.endpoint === endpoint) return paths[i]!
    if (this.pathCount >= MOST_PATHS && endpoint !== OTHER) return this.pathOf(this.pairOf(OTHER, OTHER), OTHER)
    this.pathCount++
    const made = new PathSeries(endpoint)
    paths.push(made)
    return made
  }

  countStatus(path: PathSeries, status: number): void {
    const { statuses, counts } = path
    const at = statuses.indexOf(status)
    if (at >= 0) {
      counts[at]!++
      return
    }
    if (this.statusCount >= MOST_STATUSES) {
      const last = this.pathOf(this.pairOf(OTHER, OTHER), OTHER)
      if (path !== last) return this.countStatus(last, status)
    }
    this.statusCount++
    statuses.push(status)
    counts.push(1)
  }

  overheadOf(endpoint: string): Distribution {
    let known = this.overheads.get(endpoint)
    if (known !== undefined) return known
    if (this.overheads.size >= MOST_ENDPOINTS && endpoint !== OTHER) return this.overheadOf(OTHER)
    known = new Distribution(OVERHEADS)
    this.overheads.set(endpoint, known)
    return known
  }

  /** @param outcome of few */
  outcomeOf(provider: string, outcome: string): OutcomeSeries {
    const known = this.byProvider.get(provider)?.get(outcome)
    if (known !== undefined) return known
    if (this.outcomes.length >= MOST_OUTCOMES && provider !== OTHER) return this.outcomeOf(OTHER, outcome)
    const made = new OutcomeSeries(provider, outcome)
    this.outcomes.push(made)
    put(this.byProvider, provider, outcome, made)
    return made
  }

  private addPair(alias: string, provider: string): PairSeries {
    const made = new PairSeries(alias, provider)
    this.pairs.push(made)
    put(this.byAlias, alias, provider, made)
    return made
  }
}

function put<T>(map: Map<string, Map<string, T>>, first: string, second: string, value: T): void {
  let inner = map.get(first)
  if (inner === undefined) {
    inner = new Map()
    map.set(first, inner)
  }
  inner.set(second, value)
}
