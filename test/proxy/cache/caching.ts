/** Aliases whose answers are kept or shared, requests to them, and what became of those. */
import assert from 'node:assert/strict'

import type { CacheOutcome } from '@millrace/shared'

import type { AliasOptions } from '../../helpers/configuration.ts'
import type { Gateway } from '../../helpers/gateway.ts'
import { begin as beginRequest, send, type Answer, type OpenAnswer } from '../../helpers/http.ts'
import type { ProxyProcess } from '../../helpers/proxy.ts'
import { addRouted, type Routed, type RouteSpec } from '../../helpers/routed.ts'
import type { StoredRecord } from '../../helpers/stored-record.ts'
import type { Behaviour, SeenRequest, Upstream } from '../../helpers/upstream.ts'
import { behaviours, WORDS } from '../../helpers/upstream/behaviours.ts'
import { waitFor } from '../../helpers/wait.ts'
import { metric, metricValue } from '../workers/crew.ts'

/** USD per million tokens. */
export const PRICES = { inputPrice: '2', outputPrice: '10', cachedInputPrice: '0.5' }
/** What a good answer costs: 15 tokens of input at 2, 4 from the provider's cache at 0.5, 7 of output at 10. */
export const COST_USD = 0.000102

export interface CachedOptions extends AliasOptions {
  readonly alias?: string
  /** Else its answers are {@link numbered}. */
  readonly behaviour?: Behaviour
  readonly route?: Omit<RouteSpec, 'behaviour'>
}

export interface Asking {
  /** The gateway's own otherwise. */
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly proxy?: ProxyProcess
}

/** Good answers of which each says which one it is: no two are the same. */
export function numbered(options: Parameters<typeof behaviours.answer>[0] = {}): Behaviour {
  let calls = 0
  return (exchange) => behaviours.answer({ ...options, words: [...WORDS, ` #${++calls}`] })(exchange)
}

/** An alias of one provider, which counts. */
export class Cached {
  readonly routed: Routed<'only'>
  readonly #gateway: Gateway

  constructor(gateway: Gateway, routed: Routed<'only'>) {
    this.#gateway = gateway
    this.routed = routed
  }

  get model(): string {
    return this.routed.model
  }
  get aliasId(): string {
    return this.routed.aliasId
  }
  /** How often its provider was asked. */
  get calls(): number {
    return this.routed.calls('only')
  }
  get seen(): SeenRequest[] {
    return this.routed.seen('only')
  }

  behaves(behaviour: Behaviour): void {
    this.routed.behaves('only', behaviour)
  }

  body(more: object = {}): string {
    return JSON.stringify({ model: this.model, messages: [{ role: 'user', content: 'Say hello.' }], ...more })
  }

  /** @param more over a body with one message; or a whole body, as it is */
  ask(more: object | string = {}, asking: Asking = {}): Promise<Answer> {
    return send(...this.#request(more, asking))
  }

  /** The same, but returns with the answer's head. */
  open(more: object | string = {}, asking: Asking = {}): Promise<OpenAnswer> {
    return this.begin(more, asking).answer
  }

  /** The same, but returns before there is an answer. */
  begin(more: object | string = {}, asking: Asking = {}): ReturnType<typeof beginRequest> {
    const [url, options] = this.#request(more, asking)
    const begun = beginRequest(url, options)
    begun.request.end(options!.body)
    return begun
  }

  /** A request as it stands on a connection. @param headers lines more, each with its end */
  wire(more: object = {}, headers = ''): string {
    const body = this.body(more)
    return (
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n${headers}authorization: Bearer ${this.#gateway.token}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    )
  }

  /** Asks, and asserts what came of it. */
  async outcome(expected: CacheOutcome, more: object | string = {}, asking: Asking = {}): Promise<Answer> {
    const answer = await this.ask(more, asking)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(outcomeOf(answer), expected, typeof more === 'string' ? more.slice(0, 200) : JSON.stringify(more))
    return answer
  }

  #request(more: object | string, { token, headers, proxy = this.#gateway.proxy }: Asking): Parameters<typeof send> {
    const own = { authorization: `Bearer ${token ?? this.#gateway.token}`, 'content-type': 'application/json' }
    const body = typeof more === 'string' ? more : this.body(more)
    return [`${proxy.url}/v1/chat/completions`, { headers: { ...own, ...headers }, body }]
  }
}

/** An alias that stores, unless told otherwise, and is served when this returns: by the gateway's own proxy and by these. */
export async function addCached(
  { gateway, upstream }: { readonly gateway: Gateway; readonly upstream: Upstream },
  { cache, behaviour = numbered(), route, ...options }: CachedOptions = {},
  others: readonly ProxyProcess[] = [],
): Promise<Cached> {
  const policies = { ...options, cache: { enabled: true, ...cache } }
  const routed = await addRouted(gateway.control, upstream, { only: { ...PRICES, behaviour, ...route } }, policies)
  await Promise.all([gateway.proxy, ...others].map((proxy) => gateway.untilServed(undefined, proxy)))
  return new Cached(gateway, routed)
}

export function outcomeOf({ headers }: Pick<Answer, 'headers'>): string {
  return String(headers['x-cache'])
}

/** How many answers had each outcome. */
export function outcomes(answers: readonly Pick<Answer, 'headers'>[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[outcomeOf(answer)] = (counts[outcomeOf(answer)] ?? 0) + 1
  return counts
}

/** The little that is read of many records. */
export type ShortRecord = Pick<StoredRecord, 'requestId' | 'status' | 'errorClass' | 'cache' | 'costUsd'> & {
  readonly usage: Pick<StoredRecord['usage'], 'outputTokens' | 'source' | 'billed'>
  readonly attempts: readonly { readonly index: number }[]
}

interface RecordPage {
  readonly requests: {
    readonly edges: readonly { readonly node: ShortRecord }[]
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  }
}

/** The records of all requests for a model, once there are so many. */
export async function recordsOf(gateway: Gateway, model: string, count: number): Promise<ShortRecord[]> {
  const records = await waitFor(
    async () => {
      const found = await shortRecords(gateway, model)
      return found.length >= count && found
    },
    { timeoutMs: 60_000, intervalMs: 100, what: `${count} records of ${model}` },
  )
  assert.equal(records.length, count, `records of ${model}`)
  return records
}

async function shortRecords({ control }: Gateway, model: string): Promise<ShortRecord[]> {
  const records: ShortRecord[] = []
  let after: string | null = null
  do {
    const { requests }: RecordPage = await control.gql(
      `query ($model: String!, $after: String) {
        requests(filter: { model: $model }, first: 200, after: $after) {
          edges {
            node {
              requestId status errorClass cache costUsd usage { outputTokens source billed } attempts { index }
            }
          }
          pageInfo { hasNextPage endCursor }
        }
      }`,
      { model, after },
    )
    records.push(...requests.edges.map(({ node }) => node))
    after = requests.pageInfo.hasNextPage ? requests.pageInfo.endCursor : null
  } while (after !== null)
  return records
}

/** An answer's record. */
export function recordOf(gateway: Gateway, { headers }: Pick<Answer, 'headers'>): Promise<StoredRecord> {
  return gateway.record(String(headers['x-request-id']))
}

/** What all these requests cost, in USD. */
export function costOf(records: readonly Pick<StoredRecord, 'costUsd'>[]): number {
  return records.reduce((sum, { costUsd }) => sum + Number(costUsd), 0)
}

export function assertCost(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} USD, not ${expected}`)
}

/** Waits until so many requests are under way in a proxy. */
export function underWay(proxy: ProxyProcess, count: number): Promise<true> {
  return waitFor(async () => (await metricValue(proxy, 'millrace_in_flight')) === count, {
    what: `${count} requests under way`,
    timeoutMs: 30_000,
  })
}

/**
 * Begins requests, and waits until so many of a proxy's share another's call: these, if nobody else asks it meanwhile.
 * @param begin gives no promise: that would be waited for
 */
export async function joining<T>(proxy: ProxyProcess, count: number, begin: () => T): Promise<T> {
  const earlier = await coalesced(proxy)
  const begun = begin()
  await waitFor(async () => (await coalesced(proxy)) === earlier + count, {
    what: `${count} requests to share a call`,
    timeoutMs: 30_000,
  })
  return begun
}

async function coalesced(proxy: ProxyProcess): Promise<number> {
  let count = 0
  for (const [labels, value] of await metric(proxy, 'millrace_cache_total'))
    if (labels.includes('outcome="COALESCED"')) count += value
  return count
}

/** As control tells it of all proxies. */
export async function cacheStats({ control }: Gateway): Promise<Record<string, number>> {
  const { cacheStats: stats } = await control.gql<{ cacheStats: Record<string, string | number> }>(
    '{ cacheStats { entries bytes hits misses stores bypasses coalesced } }',
  )
  return Object.fromEntries(Object.entries(stats).map(([name, value]) => [name, Number(value)]))
}

/** The same, once reports tell of nothing new: proxies send one each two seconds. */
export async function settledStats(gateway: Gateway): Promise<Record<string, number>> {
  let last = ''
  let reported: Record<string, string> = {}
  const settled = await waitFor(
    async () => {
      const { proxies } = await gateway.control.gql<{ proxies: { id: string; online: boolean; lastSeenAt: string }[] }>(
        '{ proxies { id online lastSeenAt } }',
      )
      const stats = await cacheStats(gateway)
      const isSame = JSON.stringify(stats) === last
      const areNew = proxies.every(({ id, online, lastSeenAt }) => !online || lastSeenAt !== reported[id])
      last = JSON.stringify(stats)
      reported = Object.fromEntries(proxies.map(({ id, lastSeenAt }) => [id, lastSeenAt]))
      return isSame && areNew && stats
    },
    { intervalMs: 3_000, timeoutMs: 60_000, what: 'the reports' },
  )
  return settled
}
