/** An answer that is given again: what its client sees, what operators see, and how long it is. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { begun } from '../control/begun.ts'
import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { MANY_HEADERS, USAGE } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { addCached, assertCost, COST_USD, numbered, outcomeOf, recordOf, type Cached } from './cache/caching.ts'
import { metric } from './workers/crew.ts'

const scene = useScene()
const fresh = { 'cache-control': 'no-cache' }

/** What a hit says of itself, and what each answer has for itself. */
const OWN = new Set([
  'x-request-id',
  'x-millrace-id',
  'x-millrace-attempts',
  'x-millrace-overhead-ms',
  // Other tests change the configuration meanwhile.
  'x-millrace-revision',
  'x-millrace-cost-usd',
  'x-cache',
  'cache-status',
  'age',
  'etag',
  'date',
  'content-length',
  'transfer-encoding',
])

function others({ headers }: Answer): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name)))
}

function assertHit({ headers, rawHeaders }: Answer): void {
  assert.equal(headers['x-cache'], 'HIT')
  assert.match(String(headers['cache-status']), /^[A-Za-z]+; ?hit\b/)
  assert.match(String(headers['etag']), /^"[\x21\x23-\x7e]+"$/)
  const age = Number(headers['age'])
  assert.ok(Number.isInteger(age) && age >= 0 && age < 120, `age ${headers['age']}`)
  assert.equal(headers['x-millrace-attempts'], '0')
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  for (const name of ['x-cache', 'cache-status', 'age', 'etag', 'content-type'])
    assert.equal(names.filter((one) => one === name).length, 1, name)
}

describe('the same request again', { concurrency: true }, () => {
  for (const stream of [false, true]) {
    test(`has the same ${stream ? 'stream' : 'answer'}, byte for byte, with the headers that it had`, async () => {
      const headers = { ...MANY_HEADERS, etag: '"theirs"', age: '4000', 'x-cache': 'HIT from theirs' }
      const cached = await addCached(scene, { behaviour: numbered({ headers }) })
      const first = await cached.outcome('MISS', { stream })
      assert.match(first.text, / #1"/)
      assert.match(String(first.headers['cache-status']), /\bfwd=/)
      for (let i = 0; i < 2; i++) {
        const again = await cached.outcome('HIT', { stream })
        assert.deepEqual(again.body, first.body)
        assert.deepEqual(others(again), others(first))
        assert.equal(again.headers['x-custom-header'], 'passes')
        assert.equal(again.headers['set-cookie'], undefined)
        assert.equal(again.headers['x-millrace-model'], cached.routed.nameOf('only'))
        assert.equal(again.headers['x-millrace-provider'], cached.routed.nameOf('only'))
        assert.ok(!again.text.includes(cached.routed.nameOf('only')), 'the model is called as it was asked for')
        assert.notEqual(again.headers['x-millrace-id'], first.headers['x-millrace-id'])
        assertHit(again)
        if (!stream) assert.equal(Number(again.headers['x-millrace-cost-usd']), 0)
      }
      assert.equal(cached.calls, 1)
    })
  }

  test("has an etag that is the answer's own, and no precondition of a POST keeps the answer back", async () => {
    const cached = await addCached(scene)
    for (const seed of [1, 2]) await cached.outcome('MISS', { seed })
    const tags = [1, 1, 2].map(async (seed) => (await cached.outcome('HIT', { seed })).headers['etag'])
    const [one, again, other] = await Promise.all(tags)
    assert.equal(one, again)
    assert.notEqual(one, other)
    const { status, text } = await cached.ask({ seed: 1 }, { headers: { 'if-none-match': String(one) } })
    assert.deepEqual([status, / #1"/.test(text)], [200, true])
  })

  test('can be told from the first by x-millrace-include, which is each request’s own', async () => {
    const cached = await addCached(scene)
    const headers = { 'x-millrace-include': 'metadata' }
    const metadataOf = ({ text }: Answer) => (JSON.parse(text) as { metadata: Record<string, unknown> }).metadata
    const first = await cached.outcome('MISS', {}, { headers: { ...headers, 'x-request-id': uniqueName('first') } })
    assert.deepEqual([metadataOf(first)['cached'], metadataOf(first)['cache_tier']], [false, null])
    const id = uniqueName('again')
    const again = await cached.outcome('HIT', {}, { headers: { ...headers, 'x-request-id': id } })
    const { latency_ms: latency, cost_usd: cost, ...rest } = metadataOf(again)
    const name = cached.routed.nameOf('only')
    assert.deepEqual(rest, {
      request_id: id,
      provider: name,
      model: name,
      cached: true,
      cache_tier: 'MEMORY',
      attempts: 0,
    })
    assert.equal(Number(cost), 0)
    assert.equal(typeof latency, 'number')
    assert.doesNotMatch((await cached.outcome('HIT')).text, /"cache_tier"/)
  })
})

describe('operators see of a hit', { concurrency: true }, () => {
  for (const stream of [false, true]) {
    test(`its record, ${stream ? 'streamed' : 'unstreamed'}`, async () => {
      const cached = await addCached(scene)
      const first = await recordOf(scene.gateway, await cached.outcome('MISS', { stream }))
      assert.deepEqual(
        [first.cache, first.cacheTier, first.usage.billed, first.attempts.length],
        ['MISS', null, true, 1],
      )
      assertCost(Number(first.costUsd), COST_USD)
      const record = await recordOf(scene.gateway, await cached.outcome('HIT', { stream }))
      assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['SUCCESS', 200, null])
      assert.deepEqual([record.cache, record.cacheTier], ['HIT', 'MEMORY'])
      assert.equal(Number(record.costUsd), 0)
      assert.notEqual(record.costUsd, null)
      assert.deepEqual([record.attempts, record.decision], [[], null])
      assert.deepEqual(record.usage, { ...first.usage, billed: false })
      assert.deepEqual([record.usage.source, record.usage.outputTokens], ['PROVIDER', USAGE.completion_tokens])
      assert.deepEqual([record.provider, record.providerModel], [first.provider, first.providerModel])
      assert.deepEqual([record.alias?.id, record.model, record.stream], [cached.aliasId, cached.model, stream])
    })
  }

  test("its token's counts", async () => {
    const cached = await addCached(scene)
    const { id, secret } = await scene.gateway.addToken()
    await scene.gateway.untilServed()
    await cached.outcome('MISS', {}, { token: secret })
    for (let i = 0; i < 3; i++) await cached.outcome('HIT', {}, { token: secret })
    await waitFor(
      async () => {
        const { token } = await scene.gateway.control.gql<{ token: { requestCount: number; cacheHitCount: number } }>(
          'query ($id: ID!) { token(id: $id) { requestCount cacheHitCount } }',
          { id },
        )
        assert.deepEqual([token.requestCount, token.cacheHitCount], [4, 3])
        return true
      },
      { what: 'the counts' },
    )
  })

  test('an event in the feed', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    const document = `subscription ($model: String!) {
      requestFeed(filter: { model: $model, cache: [HIT] }) { record { cache cacheTier costUsd usage { billed } } }
    }`
    const events = await begun(scene.gateway.control, document, { model: cached.model }, () => cached.outcome('HIT'))
    await cached.outcome('HIT')
    const { value } = await events.next()
    const { costUsd, ...rest } = value.requestFeed.record
    assert.deepEqual(rest, { cache: 'HIT', cacheTier: 'MEMORY', usage: { billed: false } })
    assert.equal(Number(costUsd), 0)
    await events.return!()
  })

  test('what can be looked for by outcome', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    await cached.outcome('HIT')
    const found = async (outcome: string): Promise<number> => {
      const { requests } = await scene.gateway.control.gql<{ requests: { edges: unknown[] } }>(
        `query ($model: String!, $cache: [CacheOutcome!]) {
          requests(filter: { model: $model, cache: $cache }) { edges { cursor } }
        }`,
        { model: cached.model, cache: [outcome] },
      )
      return requests.edges.length
    }
    for (const outcome of ['MISS', 'HIT']) await waitFor(async () => (await found(outcome)) === 1, { what: outcome })
    assert.equal(await found('BYPASS'), 0)
  })

  test('the metric millrace_cache_total', async () => {
    const count = async (outcome: string, tier?: string): Promise<number> => {
      let sum = 0
      for (const [labels, value] of await metric(scene.gateway.proxy, 'millrace_cache_total'))
        if (labels.includes(`outcome="${outcome}"`) && (tier === undefined || labels.includes(`tier="${tier}"`)))
          sum += value
      return sum
    }
    // Other tests ask at the same time.
    const cached = await addCached(scene)
    const before = [await count('HIT', 'MEMORY'), await count('MISS')]
    await cached.outcome('MISS')
    await cached.outcome('HIT')
    await waitFor(async () => (await count('HIT', 'MEMORY')) > before[0]! && (await count('MISS')) > before[1]!)
  })
})

describe('how long an answer is given', { concurrency: true }, () => {
  /** Asks again until it is not given any more; returns how many milliseconds that took. */
  async function lifetime(cached: Cached, since: number): Promise<number> {
    await waitFor(async () => outcomeOf(await cached.ask()) === 'MISS', { what: 'its end', intervalMs: 100 })
    return performance.now() - since
  }

  test("is its alias's time to live, however often it is given", async () => {
    const [short, long] = [await addCached(scene, { cache: { ttlSeconds: 2 } }), await addCached(scene)]
    await long.outcome('MISS')
    const began = performance.now()
    await short.outcome('MISS')
    const lived = await lifetime(short, began)
    assert.ok(lived > 1_900 && lived < 20_000, `${lived} ms`)
    assert.equal(short.calls, 2)
    const { headers } = await long.outcome('HIT')
    assert.ok(Number(headers['age']) >= 1, `age ${headers['age']}`)
  })

  test('may be less for one request: max-age takes none that is older', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    await sleep(2_100)
    await cached.outcome('HIT', {}, { headers: { 'cache-control': 'max-age=60' } })
    const { text } = await cached.outcome('MISS', {}, { headers: { 'cache-control': 'max-age=1' } })
    assert.match(text, / #2"/)
  })

  test('is at most what the request says that has stored it', async () => {
    const cached = await addCached(scene)
    const began = performance.now()
    await cached.outcome('MISS', {}, { headers: { 'cache-control': 'max-age=2' } })
    const lived = await lifetime(cached, began)
    assert.ok(lived > 1_900 && lived < 20_000, `${lived} ms`)
  })
})

describe('cache-control', { concurrency: true }, () => {
  for (const directive of ['no-store', 'No-Store', 'private, no-store, max-age=60']) {
    test(`${directive}: nothing is read and nothing stored`, async () => {
      const cached = await addCached(scene)
      const headers = { 'cache-control': directive }
      for (const n of [1, 2])
        assert.match((await cached.outcome('BYPASS', {}, { headers })).text, new RegExp(` #${n}"`))
      const stored = await cached.outcome('MISS')
      await cached.outcome('BYPASS', {}, { headers })
      assert.equal((await cached.outcome('HIT')).text, stored.text)
    })
  }

  for (const directive of ['no-cache', 'max-age=0', 'NO-CACHE']) {
    test(`${directive}: nothing is read, but the new answer is stored`, async () => {
      const cached = await addCached(scene)
      await cached.outcome('MISS')
      const { text } = await cached.outcome('MISS', {}, { headers: { 'cache-control': directive } })
      assert.match(text, / #2"/)
      assert.equal((await cached.outcome('HIT')).text, text)
    })
  }

  test('of nonsense changes nothing', async () => {
    const cached = await addCached(scene)
    for (const directive of ['', ',', 'max-age', 'max-age=abc', 'max-age=-1', '=', 'x'.repeat(4_000), '"no-store'])
      assert.equal((await cached.ask({}, { headers: { 'cache-control': directive } })).status, 200, directive)
    await cached.outcome('HIT', {}, { headers: { 'cache-control': 'stale-if-error=60, x="no-store, y"' } })
  })

  test('only-if-cached: a hit, or a 504 that asks nobody', async () => {
    const cached = await addCached(scene)
    const headers = { 'cache-control': 'only-if-cached' }
    const refused = await cached.ask({}, { headers })
    assertError(refused, { status: 504, type: 'invalid_request_error', code: 'not_cached' })
    assert.equal(cached.calls, 0)
    const record = await recordOf(scene.gateway, refused)
    assert.deepEqual([record.status, record.errorClass, record.attempts], ['REJECTED', 'not_cached', []])
    await cached.outcome('MISS', {}, { headers: fresh })
    await cached.outcome('HIT', {}, { headers })
    const aged = { 'cache-control': 'only-if-cached, no-cache' }
    assertError(await cached.ask({}, { headers: aged }), {
      status: 504,
      type: 'invalid_request_error',
      code: 'not_cached',
    })
    const plain = await scene.chat(scene.body(), headers)
    assertError(plain, { status: 504, type: 'invalid_request_error', code: 'not_cached' })
  })
})
