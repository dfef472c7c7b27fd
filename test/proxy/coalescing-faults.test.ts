/** Requests that share a call which goes wrong, or whose callers go: who is served, who pays, and what is let go. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError, assertErrorBody } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour, SeenRequest } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import {
  addCached,
  assertCost,
  COST_USD,
  costOf,
  joining,
  numbered,
  outcomeOf,
  outcomes,
  recordOf,
  recordsOf,
  underWay,
  type Cached,
  type CachedOptions,
  type ShortRecord,
} from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'

const scene = useScene()
const STREAM = { stream: true }
const BOTH = { enabled: true, coalesce: true }
/** Ten times the contract's 100 ms: other tests run beside this one. */
const PROMPTLY_MS = 1_000

const addCoalescing = ({ cache, ...options }: CachedOptions = {}): Promise<Cached> =>
  addCached(scene, { cache: { ...BOTH, ...cache }, ...options })

/** How many attempts each of these has, of those that have any. */
function attemptsOf(records: readonly ShortRecord[]): number[] {
  return records.map(({ attempts }) => attempts.length).filter((count) => count > 0)
}

/** Waits for a provider to be let go by the gateway. */
async function letGo(seen: SeenRequest): Promise<void> {
  const ended = await within(PROMPTLY_MS, "the upstream request's end", seen.ended)
  assert.deepEqual({ finished: ended.finished, cutByUs: ended.cutByUs }, { finished: false, cutByUs: false })
}

/** So many requests at once, which all wait for one answer that comes when `release` is called. */
async function waiting(count: number, behaviour: Behaviour, options: CachedOptions = {}, more: object = {}) {
  const { promise, resolve: release } = Promise.withResolvers<void>()
  const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, behaviour), ...options })
  const asked = await joining(scene.gateway.proxy, count - 1, () =>
    Array.from({ length: count }, () => cached.ask(more)),
  )
  return { cached, release, answers: Promise.all(asked) }
}

describe('who goes', () => {
  test('is not missed by the others, though it was the first: one of them pays', async () => {
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one')
    const callers = [await cached.open(STREAM), await cached.open(STREAM), await cached.open(STREAM)] as const
    for (const answer of callers) await answer.until('one')
    const [first, second, third] = callers
    first.abort()
    const gone = await recordOf(scene.gateway, first)
    assert.deepEqual([gone.status, gone.httpStatus, gone.errorClass], ['CANCELLED', 499, 'client_cancelled'])
    assert.deepEqual([gone.attempts, gone.usage.billed], [[], false])
    spoken.say('two')
    await second.until('two')
    // Nor is one who goes from the middle.
    third.abort()
    await recordOf(scene.gateway, third)
    spoken.say('three')
    spoken.end()
    const { body, complete } = await within(10_000, 'the end', second.rest())
    assert.ok(complete)
    assert.match(body.toString(), /three.*\[DONE\]\n\n$/s)
    assert.equal(cached.calls, 1)
    const paid = await recordOf(scene.gateway, second)
    assert.deepEqual([paid.status, paid.usage.billed, paid.attempts.length], ['SUCCESS', true, 1])
    assert.notEqual(paid.decision, null)
    const records = await recordsOf(scene.gateway, cached.model, 3)
    assertCost(costOf(records), COST_USD)
    assert.equal(records.filter(({ usage }) => usage.billed).length, 1)
    await cached.outcome('HIT', STREAM)
  })

  test('before there is any answer: the others have it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()) })
    const first = cached.begin()
    await waitFor(() => cached.calls === 1)
    const others = await joining(scene.gateway.proxy, 2, () => [cached.ask(), cached.ask()])
    first.request.destroy()
    await underWay(scene.gateway.proxy, 2)
    resolve()
    const [one, two] = (await Promise.all(others)) as [Answer, Answer]
    assert.deepEqual([one.status, two.status], [200, 200])
    assert.equal(one.text, two.text)
    assert.equal(cached.calls, 1)
    const records = await recordsOf(scene.gateway, cached.model, 3)
    assertCost(costOf(records), COST_USD)
    assert.deepEqual(attemptsOf(records), [1])
  })

  for (const stream of [false, true]) {
    test(`last lets go of the provider${stream ? ', in mid-stream' : ', before its answer'}`, async () => {
      const cached = await addCoalescing({ behaviour: behaviours.stall(stream ? 'mid-body' : 'before-headers') })
      const callers = await joining(scene.gateway.proxy, 4, () =>
        Array.from({ length: 5 }, () => cached.begin({ stream })),
      )
      if (stream) for (const { answer } of callers) await (await answer).until('from')
      await waitFor(() => cached.calls === 1)
      for (const { request } of callers.slice(1)) request.destroy()
      await underWay(scene.gateway.proxy, 1)
      const [seen] = cached.seen as [SeenRequest]
      assert.equal(await Promise.race([seen.ended, sleep(0, null)]), null, 'one still waits')
      callers[0]!.request.destroy()
      await letGo(seen)
      const records = await recordsOf(scene.gateway, cached.model, 5)
      for (const { status, errorClass } of records)
        assert.deepEqual([status, errorClass], ['CANCELLED', 'client_cancelled'])
      const paid = records.filter(({ attempts }) => attempts.length > 0)
      assert.deepEqual([paid.length, paid[0]!.usage.source], [1, 'ESTIMATED'])
      assert.equal(cached.calls, 1)
      // What was cut off is nobody's answer.
      cached.behaves(numbered())
      await cached.outcome('MISS', { stream })
    })
  }

  test('and all others, in any order, five hundred of them: nothing is left', async () => {
    const cached = await addCoalescing({ behaviour: behaviours.stall('mid-body') })
    const callers = await Promise.all(Array.from({ length: 500 }, () => cached.open(STREAM)))
    for (let i = callers.length; i > 0; i--) {
      const [one] = callers.splice(Math.floor(Math.random() * i), 1)
      one!.abort()
    }
    await waitFor(() => cached.calls >= 1)
    await underWay(scene.gateway.proxy, 0)
    for (const seen of cached.seen) await letGo(seen)
    assert.equal(cached.calls, 1)
    await recordsOf(scene.gateway, cached.model, 500)
  })
})

describe('a failure before there is content', () => {
  for (const stream of [false, true]) {
    test(`of the first route: another serves all${stream ? ', streamed' : ''}`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const failing = behaviours.onceReleased(promise, stream ? behaviours.errorEventFirst() : behaviours.serverError())
      const options = { retry: { maxAttempts: 2 }, cache: BOTH }
      const routed = await scene.routed(
        { a: { behaviour: failing }, b: { priority: 1, behaviour: numbered() } },
        options,
      )
      const id = uniqueName('rerouted')
      const asked = await joining(scene.gateway.proxy, 19, () =>
        Array.from({ length: 20 }, () => scene.chat(scene.body(routed.model, { stream }), { 'x-request-id': id })),
      )
      resolve()
      const answers = await Promise.all(asked)
      assert.deepEqual(routed.count(answers), { b: 20 })
      assert.deepEqual([routed.calls('a'), routed.calls('b')], [1, 1])
      assert.deepEqual(outcomes(answers), { MISS: 1, COALESCED: 19 })
      const records = await scene.gateway.records(id, 20)
      assert.deepEqual(
        records.flatMap(({ attempts }) => (attempts.length > 0 ? [routed.order(attempts)] : [])),
        [['a', 'b']],
      )
    })

    test(`of all routes: each has the error as if it were its own${stream ? ', streamed' : ''}`, async () => {
      const { cached, release, answers } = await waiting(
        10,
        behaviours.serverError(),
        { retry: { maxAttempts: 1 }, route: { provider: { breaker: { minRequests: 1_000 } } } },
        { stream },
      )
      release()
      for (const answer of await answers) {
        assertError(answer, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
        assert.equal(answer.headers['x-should-retry'], 'false')
      }
      // Those who only waited have asked anew, together, and once.
      assert.ok(cached.calls <= 2, `${cached.calls} calls`)
      for (const { status, errorClass } of await recordsOf(scene.gateway, cached.model, 10))
        assert.deepEqual([status, errorClass], ['ERROR', 'all_routes_failed'])
      cached.behaves(numbered())
      await cached.outcome('MISS', { stream })
    })
  }

  test("that no other route can mend: each has the provider's own words", async () => {
    const { release, answers } = await waiting(5, behaviours.badRequest())
    release()
    for (const { status, text } of await answers) {
      assert.equal(status, 400)
      assert.match(text, /temperature is too hot/)
    }
  })

  test('that says when to come again: so does each answer', async () => {
    const { release, answers } = await waiting(5, behaviours.rateLimited('40'), { retry: { maxAttempts: 1 } })
    release()
    for (const { status, headers } of await answers) {
      assert.equal(status, 429)
      assert.ok(Number(headers['retry-after']) > 30, String(headers['retry-after']))
    }
  })

  test('of a hedged call: the other route serves all, and the first is let go', async () => {
    const routed = await scene.routed(
      { a: { behaviour: behaviours.stall('before-headers') }, b: { priority: 1, behaviour: numbered() } },
      { hedge: { afterMs: 500, maxExtraPercent: 100 }, cache: BOTH },
    )
    const id = uniqueName('hedged')
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => scene.chat(scene.body(routed.model, STREAM), { 'x-request-id': id })),
    )
    assert.deepEqual(routed.count(answers), { b: 10 })
    assert.deepEqual([routed.calls('a'), routed.calls('b')], [1, 1])
    await letGo(routed.seen('a')[0]!)
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
    const records = await scene.gateway.records(id, 10)
    const hedges = records.flatMap(({ attempts }) =>
      attempts.length > 0 ? [attempts.map(({ hedged }) => hedged)] : [],
    )
    assert.deepEqual(hedges, [[false, true]])
    assert.equal(new Set(records.map(({ provider }) => provider?.name)).size, 1)
  })
})

describe('a failure after content', () => {
  for (const [how, code] of [
    ['fail', 'stream_error'],
    ['cut', 'stream_truncated'],
  ] as const) {
    test(`is told to each (${how}), and nothing is stored`, async () => {
      const spoken = new Spoken()
      const cached = await addCoalescing({ behaviour: spoken.behaviour })
      spoken.say('one')
      const callers = [await cached.open(STREAM), await cached.open(STREAM), await cached.open(STREAM)]
      for (const answer of callers) await answer.until('one')
      spoken[how]()
      for (const answer of callers) {
        const { body, complete } = await within(10_000, 'the end', answer.rest())
        assert.ok(complete)
        const events = body.toString().trim().split('\n\n')
        assertErrorBody(events.at(-1)!.replace(/^data: /, ''), { type: 'upstream_error', code })
        assert.doesNotMatch(body.toString(), /\[DONE\]/)
      }
      assert.equal(cached.calls, 1)
      const records = await recordsOf(scene.gateway, cached.model, 3)
      for (const { status } of records) assert.equal(status, 'ERROR')
      assert.deepEqual(attemptsOf(records), [1])
      cached.behaves(numbered())
      await cached.outcome('MISS', STREAM)
    })
  }

  test('comes to who joins late, too, after what has passed', async () => {
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one', 'two')
    const first = await cached.open(STREAM)
    await first.until('two')
    const late = await cached.open(STREAM)
    assert.equal(outcomeOf(late), 'COALESCED')
    spoken.cut()
    const { body } = await within(10_000, 'the end', late.rest())
    assert.match(body.toString(), /one.*two.*"error":\{/s)
    await first.rest()
  })
})
