/** When the same is tried again, how often, and not before when. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { begin } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour, SeenRequest } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

const scene = useScene()
const { answer: good, forbidden, inTurn, refuse, serverError, unauthorized, unavailable } = behaviours
/** Timers may be early by this much; never by more. */
const EARLY_MS = 20
/** Nothing to do with the breaker: it stays out of it. */
const NO_BREAKER = { errorRate: 0, consecutiveFailures: 0 }

/** Milliseconds between a provider's requests. */
const gaps = (seen: readonly SeenRequest[]): number[] => seen.slice(1).map(({ at }, i) => at - seen[i]!.at)

function assertNotSooner(gap: number | undefined, milliseconds: number): void {
  assert.ok(gap !== undefined && gap >= milliseconds - EARLY_MS, `${gap} ms, not ${milliseconds}`)
}

describe('the same provider again', { concurrency: true }, () => {
  test('comes after a backoff that grows, and the client gets one whole answer', async () => {
    const only = { behaviour: inTurn(serverError(), unavailable(), good()) }
    const routed = await scene.routed({ only }, { retry: { initialBackoffMs: 200, multiplier: 3, jitter: 0 } })
    const answer = await scene.chat(scene.body(routed.model, { stream: true }))
    assert.equal(answer.status, 200)
    assert.match(answer.text, /\[DONE\]\n\n$/)
    assert.equal(answer.headers['x-millrace-attempts'], '3')
    const [first, second] = gaps(routed.seen('only'))
    assertNotSooner(first, 200)
    assertNotSooner(second, 600)
    const bodies = routed.seen('only').map(({ body }) => body.toString())
    assert.equal(new Set(bodies).size, 1, 'each time the same request')
  })

  test('waits half a second, less a fifth, unless told otherwise', async () => {
    const only = { behaviour: inTurn(serverError(), good()) }
    const routed = await scene.routed({ only }, { retry: { initialBackoffMs: 500, jitter: 0.2 } })
    assert.equal((await scene.chat(scene.body(routed.model))).status, 200)
    assertNotSooner(gaps(routed.seen('only'))[0], 400)
  })

  const wishes: [string, () => Behaviour, number][] = [
    ['retry-after in seconds, of a 503', () => unavailable('1'), 1_000],
    ['retry-after in seconds, of a 429', () => refuse(429, { retryAfter: '1' }), 1_000],
    ['retry-after-ms', () => refuse(503, { headers: { 'retry-after-ms': '700' } }), 700],
    [
      'retry-after-ms beside retry-after',
      () => refuse(429, { retryAfter: '5', headers: { 'retry-after-ms': '700' } }),
      700,
    ],
    ['x-ratelimit-reset-requests of a 429', () => refuse(429, { headers: reset('requests', '1s') }), 1_000],
    ['x-ratelimit-reset-tokens of a 429', () => refuse(429, { headers: reset('tokens', '800ms') }), 800],
  ]
  function reset(of: 'requests' | 'tokens', after: string): Record<string, string> {
    return { [`x-ratelimit-remaining-${of}`]: '0', [`x-ratelimit-reset-${of}`]: after }
  }
  for (const [name, wish, milliseconds] of wishes) {
    test(`never comes sooner than the provider wishes: ${name}`, async () => {
      const routed = await scene.routed({ only: { behaviour: inTurn(wish(), good()) } })
      assert.equal((await scene.chat(scene.body(routed.model))).status, 200)
      assertNotSooner(gaps(routed.seen('only'))[0], milliseconds)
    })
  }

  test('never comes sooner than the provider wishes: retry-after as a date', async () => {
    const date = new Date(Date.now() + 3_000).toUTCString()
    const routed = await scene.routed({ only: { behaviour: inTurn(unavailable(date), good()) } })
    assert.equal((await scene.chat(scene.body(routed.model))).status, 200)
    const asked = performance.timeOrigin + routed.seen('only')[1]!.at
    assertNotSooner(asked, Date.parse(date))
  })

  test("a wish beyond the gateway's patience is passed on at once", async () => {
    for (const status of [429, 503]) {
      const only = { behaviour: refuse(status, { retryAfter: '2' }) }
      const routed = await scene.routed({ only }, { retry: { maxBackoffMs: 500 } })
      const answer = await scene.chat(scene.body(routed.model))
      const expected = status === 429 ? 429 : 502
      assertError(answer, { status: expected, type: 'upstream_error', code: 'all_routes_failed' })
      assert.equal(answer.headers['retry-after'], '2')
      assert.equal(routed.calls('only'), 1)
    }
  })

  for (const maxAttempts of [1, 2, 5]) {
    test(`is asked ${maxAttempts} times at most, if that is the policy`, async () => {
      const only = { behaviour: serverError(), provider: { breaker: NO_BREAKER } }
      const routed = await scene.routed({ only }, { retry: { maxAttempts } })
      const answer = await scene.chat(scene.body(routed.model))
      assertError(answer, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
      assert.equal(answer.headers['x-millrace-attempts'], String(maxAttempts))
      assert.equal(answer.headers['x-should-retry'], 'false')
      assert.equal(routed.calls('only'), maxAttempts)
    })
  }
})

describe('a client that goes', () => {
  test('during a backoff: the provider is not asked again', async () => {
    const only = { behaviour: inTurn(serverError(), good()) }
    const routed = await scene.routed({ only }, { retry: { initialBackoffMs: 4_000, jitter: 0 } })
    const id = uniqueName('gone')
    const { request } = begin(scene.chatUrl, {
      headers: { authorization: `Bearer ${scene.gateway.token}`, 'x-request-id': id },
    })
    request.end(JSON.stringify(scene.body(routed.model)))
    await (
      await waitFor(() => routed.seen('only')[0])
    ).ended
    await sleep(200)
    request.destroy()
    const { status, httpStatus, attempts } = await scene.gateway.record(id)
    assert.deepEqual([status, httpStatus, attempts.length], ['CANCELLED', 499, 1])
    await sleep(4_500)
    assert.equal(routed.calls('only'), 1)
  })
})

describe('a route that rests', { concurrency: true }, () => {
  for (const status of [429, 503]) {
    test(`after a ${status} is waited for by requests that come meanwhile`, async () => {
      const only = { behaviour: inTurn(refuse(status, { retryAfter: '2' }), good()) }
      const routed = await scene.routed({ only }, { retry: { maxAttempts: 1 } })
      assert.equal((await scene.chat(scene.body(routed.model))).status, status === 429 ? 429 : 502)
      const answers = await Promise.all(Array.from({ length: 5 }, () => scene.chat(scene.body(routed.model))))
      assert.deepEqual(routed.count(answers), { only: 5 })
      const [first, ...later] = routed.seen('only')
      for (const { at } of later) assertNotSooner(at - first!.at, 2_000)
    })
  }
})

test("the retry-after of what the client got wrong is no other request's", async () => {
  const only = { behaviour: inTurn(refuse(413, { retryAfter: '60' }), good()) }
  const routed = await scene.routed({ only })
  const refused = await scene.chat(scene.body(routed.model))
  assert.deepEqual([refused.status, refused.headers['retry-after']], [413, '60'])
  const answer = await scene.chat(scene.body(routed.model))
  assert.equal(routed.by(answer), 'only')
  const { decision } = await scene.gateway.record(String(answer.headers['x-request-id']))
  assert.deepEqual(routed.excluded(decision!), { only: null })
})

describe('another route', { concurrency: true }, () => {
  test('is asked at once, and then the first again, after its backoff', async () => {
    const routed = await scene.routed(
      { a: { behaviour: inTurn(serverError(), good()) }, b: { behaviour: serverError(), priority: 1 } },
      { retry: { initialBackoffMs: 400, jitter: 0 } },
    )
    const id = uniqueName('round')
    const answer = await scene.chat(scene.body(routed.model), { 'x-request-id': id })
    assert.equal(routed.by(answer), 'a')
    const record = await scene.gateway.record(id)
    assert.deepEqual(routed.order(record.attempts), ['a', 'b', 'a'])
    assertNotSooner(routed.seen('a')[1]!.at - routed.seen('a')[0]!.at, 400)
    assert.equal(record.decision!.fallbackUsed, false, 'the route that answered was the first that was tried')
  })

  test('that refuses its key leaves the first to be asked again, after its backoff', async () => {
    for (const refusal of [unauthorized(), forbidden()]) {
      const routed = await scene.routed(
        { a: { behaviour: inTurn(serverError(), good()) }, b: { behaviour: refusal, priority: 1 } },
        { retry: { initialBackoffMs: 400, jitter: 0 } },
      )
      const answer = await scene.chat(scene.body(routed.model))
      assert.equal(routed.by(answer), 'a')
      assertNotSooner(gaps(routed.seen('a'))[0], 400)
      const { attempts } = await scene.gateway.record(String(answer.headers['x-request-id']))
      assert.deepEqual(routed.order(attempts), ['a', 'b', 'a'])
    }
  })

  test('of the same priority goes before one of a lower', async () => {
    const routed = await scene.routed({
      a: { behaviour: serverError() },
      b: { behaviour: serverError() },
      last: { priority: 1 },
    })
    const id = uniqueName('order')
    const answer = await scene.chat(scene.body(routed.model), { 'x-request-id': id })
    assert.equal(routed.by(answer), 'last')
    const order = routed.order((await scene.gateway.record(id)).attempts)
    assert.deepEqual(order.toSorted(), ['a', 'b', 'last'])
    assert.equal(order.at(-1), 'last')
  })

  test('is not asked once the first byte has gone to the client', async () => {
    const routed = await scene.routed({ a: { behaviour: behaviours.cutOff('mid-body') }, b: { priority: 1 } })
    const answer = await scene.chat(scene.body(routed.model, { stream: true }))
    assert.equal(answer.status, 200)
    assert.doesNotMatch(answer.text, /\[DONE\]/)
    assert.equal(routed.calls('b'), 0)
  })
})

describe('an outage', () => {
  const ASKED = 60

  test('is not multiplied: retries at the same provider stay within their budget', async () => {
    const only = { behaviour: serverError(), provider: { breaker: NO_BREAKER } }
    const routed = await scene.routed({ only }, { retry: { maxAttempts: 4 } })
    const answers = await Promise.all(Array.from({ length: ASKED }, () => scene.chat(scene.body(routed.model))))
    for (const { status } of answers) assert.equal(status, 502)
    // Ten always may, and a fifth of the requests of ten seconds; four times as many without a budget.
    const again = routed.calls('only') - ASKED
    assert.ok(again >= 1 && again <= 2 * Math.max(10, ASKED / 5), `${again} retries of ${ASKED} requests`)
  })

  test('does not keep requests from another provider', async () => {
    const dead = { behaviour: serverError(), provider: { breaker: NO_BREAKER } }
    const routed = await scene.routed({ dead, healthy: { priority: 1 } })
    const answers = await Promise.all(Array.from({ length: ASKED }, () => scene.chat(scene.body(routed.model))))
    assert.deepEqual(routed.count(answers), { healthy: ASKED })
    assert.equal(routed.calls('dead'), ASKED)
  })
})
