/** Answers that an operator takes back, on every proxy; and what operators are told of the cache. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { createProject } from '../helpers/configuration.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { GraphqlError } from '../helpers/graphql.ts'
import type { ProxyProcess } from '../helpers/proxy.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import {
  addCached,
  cacheStats,
  numbered,
  outcomeOf,
  settledStats,
  underWay,
  type Asking,
  type Cached,
  type CachedOptions,
} from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'

const stack = new AsyncDisposableStack()
let upstream: Upstream
let gateway: Gateway
let other: ProxyProcess
before(async () => {
  upstream = stack.use(await startUpstream())
  gateway = stack.use(await startGateway())
  other = await gateway.addProxy()
  await waitFor(
    async () => {
      const { proxies } = await gateway.control.gql<{ proxies: { online: boolean }[] }>('{ proxies { online } }')
      return proxies.filter(({ online }) => online).length === 2
    },
    { what: 'both proxies to be online' },
  )
})
after(() => stack.disposeAsync())

const add = (options?: CachedOptions): Promise<Cached> => addCached({ gateway, upstream }, options, [other])

/** How many entries went. */
async function purge(input: object): Promise<number> {
  const { purgeCache } = await gateway.control.gql<{ purgeCache: number }>(
    'mutation ($input: PurgeCacheInput!) { purgeCache(input: $input) }',
    { input },
  )
  return purgeCache
}

/** Has so many answers stored on both proxies. */
async function fill(cached: Cached, count: number, asking: Asking = {}): Promise<void> {
  for (let seed = 0; seed < count; seed++)
    for (const proxy of [gateway.proxy, other]) await cached.outcome('MISS', { seed }, { ...asking, proxy })
}

/** Waits until neither proxy gives an answer any more: ten times the contract's second at most. */
async function assertGone(cached: Cached, more: object, asking: Asking = {}): Promise<void> {
  const options = { what: 'an answer to be gone', timeoutMs: 10_000 }
  for (const proxy of [gateway.proxy, other])
    await waitFor(async () => outcomeOf(await cached.ask(more, { ...asking, proxy })) === 'MISS', options)
}

async function assertKept(cached: Cached, more: object, asking: Asking = {}): Promise<void> {
  for (const proxy of [gateway.proxy, other]) await cached.outcome('HIT', more, { ...asking, proxy })
}

describe('what is purged', () => {
  test('by model is gone from every proxy, and nothing else is', async () => {
    const [one, two] = [await add(), await add()]
    await fill(one, 3)
    await fill(two, 1)
    assert.equal(await purge({ model: one.model }), 6)
    for (let seed = 0; seed < 3; seed++) await assertGone(one, { seed })
    await assertKept(two, { seed: 0 })
    await assertKept(one, { seed: 0 })
    assert.equal(await purge({ model: 'no such model' }), 0)
  })

  test('by project is gone from every proxy, and nothing of another project is', async () => {
    const cached = await add({ cache: { shareAcrossProject: true } })
    const [mine, theirs] = [await createProject(gateway.control), await createProject(gateway.control)]
    const [own, foreign] = [await gateway.addToken({ project: mine }), await gateway.addToken({ project: theirs })]
    await Promise.all([gateway.untilServed(), gateway.untilServed(undefined, other)])
    for (const { secret } of [own, foreign]) await fill(cached, 2, { token: secret })
    assert.equal(await purge({ project: mine }), 4)
    for (let seed = 0; seed < 2; seed++) await assertGone(cached, { seed }, { token: own.secret })
    await assertKept(cached, { seed: 0 }, { token: foreign.secret })
  })

  test('whole leaves nothing', async () => {
    const [one, two] = [await add(), await add()]
    await fill(one, 2)
    await fill(two, 2)
    assert.ok((await purge({ all: true })) >= 8)
    await waitFor(async () => {
      const { entries, bytes } = await cacheStats(gateway)
      return entries === 0 && bytes === 0
    })
    for (const cached of [one, two]) await assertGone(cached, { seed: 0 })
    assert.equal(await purge({ all: true }), 4)
  })

  test('streams too, and both forms of an answer', async () => {
    const cached = await add()
    await fill(cached, 1)
    for (const proxy of [gateway.proxy, other]) await cached.outcome('HIT', { seed: 0, stream: true }, { proxy })
    await purge({ model: cached.model })
    await assertGone(cached, { seed: 0, stream: true })
  })

  for (const stream of [false, true]) {
    test(`is not stored by a request that was under way, ${stream ? 'streamed' : 'unstreamed'}`, async () => {
      const spoken = new Spoken()
      const { promise, resolve } = Promise.withResolvers<void>()
      const behaviour = stream ? spoken.behaviour : behaviours.onceReleased(promise, numbered())
      const cached = await add({ behaviour, cache: { coalesce: true } })
      spoken.say('one')
      const asked = [gateway.proxy, other].map((proxy) => cached.ask({ stream }, { proxy }))
      await waitFor(() => cached.calls === 2)
      assert.equal(await purge({ model: cached.model }), 0)
      spoken.end()
      resolve()
      for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200)
      cached.behaves(numbered())
      for (const proxy of [gateway.proxy, other]) {
        await cached.outcome('MISS', { stream }, { proxy })
        await cached.outcome('HIT', { stream }, { proxy })
      }
    })
  }

  test('is answered, though a proxy does not, and is gone from that one when it is back', async () => {
    const cached = await add()
    await fill(cached, 1)
    other.signal('SIGSTOP')
    try {
      const count = await within(10_000, 'the answer to a purge', purge({ model: cached.model }))
      assert.equal(count, 1)
    } finally {
      other.signal('SIGCONT')
    }
    await assertGone(cached, { seed: 0 })
  })

  for (const input of [{}, { all: false }, { all: true, model: 'a' }, { project: 'a', model: 'a' }]) {
    test(`is told by exactly one thing, not by ${JSON.stringify(input)}`, async () => {
      const error = await purge(input).catch((reason: unknown) => reason)
      assert.ok(error instanceof GraphqlError)
      assert.equal(error.code, 'BAD_USER_INPUT')
    })
  }
})

describe('cacheStats', () => {
  test('sums what all proxies have counted', async () => {
    const earlier = await settledStats(gateway)
    const [cached, bare] = [await add(), await add({ route: { condition: { user: null } } })]
    await fill(cached, 2)
    for (let i = 0; i < 3; i++) await assertKept(cached, { seed: i % 2 })
    for (const proxy of [gateway.proxy, other]) await bare.outcome('BYPASS', {}, { proxy })
    const spoken = new Spoken()
    const shared = await add({ behaviour: spoken.behaviour, cache: { coalesce: true } })
    spoken.say('one')
    const answers = [await shared.open({ stream: true }), await shared.open({ stream: true })]
    for (const answer of answers) await answer.until('one')
    spoken.end()
    for (const answer of answers) await answer.rest()
    const expected = { hits: 6, misses: 5, stores: 5, bypasses: 2, coalesced: 1 }
    // A report comes each two seconds.
    await waitFor(
      async () => {
        const now = await cacheStats(gateway)
        for (const [name, count] of Object.entries(expected)) assert.equal(now[name]! - earlier[name]!, count, name)
        assert.ok(now['entries']! >= 5 && now['bytes']! > 5 * 500, JSON.stringify(now))
        return true
      },
      { what: 'the counts' },
    )
  })

  test('counts a request once, by what it came to first, though it asks anew since the call that it waited for has failed', async () => {
    const earlier = await settledStats(gateway)
    const { promise, resolve: release } = Promise.withResolvers<void>()
    const cached = await add({
      behaviour: behaviours.onceReleased(promise, behaviours.serverError()),
      retry: { maxAttempts: 1 },
      route: { provider: { breaker: { minRequests: 1_000 } } },
      cache: { coalesce: true },
    })
    const asked = Array.from({ length: 6 }, () => cached.ask())
    await waitFor(() => cached.calls === 1)
    await underWay(gateway.proxy, 6)
    release()
    assert.deepEqual(new Set((await Promise.all(asked)).map(({ status }) => status)), new Set([502]))
    assert.equal(cached.calls, 2, 'those who waited have asked anew, together')
    const { misses, coalesced } = await settledStats(gateway)
    assert.deepEqual([misses! - earlier['misses']!, coalesced! - earlier['coalesced']!], [1, 5])
  })
})
