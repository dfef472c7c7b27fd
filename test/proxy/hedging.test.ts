/** A second route asked while the first is slow: who answers, who is let go, and how often it may happen. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { begin, type Answer } from '../helpers/http.ts'
import type { Routed, RouteSpec } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import type { SeenRequest } from '../helpers/upstream.ts'
import { behaviours, USAGE } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const scene = useScene()
const { answer: good, onceReleased, serverError, stall } = behaviours
/** Ten times the contract's 100 ms. */
const PROMPTLY_MS = 1_000
const AFTER_MS = 200
const ALWAYS = { hedge: { afterMs: AFTER_MS, maxExtraPercent: 100 } }
const slow = good({ afterMs: 1_500 })

const hedged = (a: RouteSpec, b: RouteSpec, options = {}): Promise<Routed<'a' | 'b'>> =>
  scene.routed({ a, b: { priority: 1, ...b } }, { ...ALWAYS, ...options })

/** Waits for a provider to be let go by the gateway. */
async function letGo(seen: SeenRequest | undefined): Promise<void> {
  const ended = await within(PROMPTLY_MS, "the upstream request's end", seen!.ended)
  assert.deepEqual({ finished: ended.finished, cutByUs: ended.cutByUs }, { finished: false, cutByUs: false })
}

/** Waits until a provider has answered, and the gateway has read it. */
async function answered(routed: Routed<'a' | 'b'>, key: 'a' | 'b'): Promise<void> {
  const seen = await waitFor(() => routed.seen(key)[0], { what: `${key} to be asked` })
  await seen.ended
  await sleep(500)
}

describe('a first route that is slow', { concurrency: true }, () => {
  for (const stream of [true, false]) {
    const form = stream ? 'a stream' : 'JSON'
    test(`${form}: the second answers, the first is let go at once, and both stand in the record`, async () => {
      const routed = await hedged({ behaviour: stall(stream ? 'before-first-token' : 'before-headers') }, {})
      const id = uniqueName('hedged')
      const answer = await scene.chat(scene.body(routed.model, { stream }), { 'x-request-id': id })
      assert.equal(routed.by(answer), 'b')
      assert.equal(answer.headers['x-millrace-attempts'], '2')
      await letGo(routed.seen('a')[0])

      const record = await scene.gateway.record(id)
      assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['SUCCESS', 200, null])
      assert.deepEqual(routed.order(record.attempts), ['a', 'b'])
      assert.deepEqual(
        record.attempts.map((attempt) => attempt.hedged),
        [false, true],
      )
      assert.equal(record.attempts[1]!.errorClass, null)
      const [first, second] = record.attempts.map(({ startedAt }) => Date.parse(startedAt))
      assert.ok(second! - first! >= AFTER_MS - 20, `asked after ${second! - first!} ms`)
      assert.equal(routed.selected(record.decision!), 'b')
      assert.equal(record.decision!.fallbackUsed, true)
      assert.equal(record.provider?.name, routed.nameOf('b'))
      assert.deepEqual([record.usage.source, record.usage.outputTokens], ['PROVIDER', USAGE.completion_tokens])
    })

    test(`${form}: the first answers after all, and the second is let go`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const routed = await hedged({ behaviour: onceReleased(promise, good()) }, { behaviour: stall('before-headers') })
      const id = uniqueName('hedged')
      const asked = scene.chat(scene.body(routed.model, { stream }), { 'x-request-id': id })
      await waitFor(() => routed.calls('b') === 1, { what: 'the second to be asked' })
      resolve()
      const answer = await asked
      assert.equal(routed.by(answer), 'a')
      await letGo(routed.seen('b')[0])
      const record = await scene.gateway.record(id)
      assert.deepEqual(
        record.attempts.map((attempt) => attempt.hedged),
        [false, true],
      )
      assert.equal(routed.selected(record.decision!), 'a')
      assert.equal(record.decision!.fallbackUsed, false)
    })
  }

  test('the second fails: the first is waited for', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = { behaviour: onceReleased(promise, good()) }
    const routed = await hedged(first, { behaviour: serverError() }, { retry: { maxAttempts: 2 } })
    const asked = scene.chat(scene.body(routed.model))
    await answered(routed, 'b')
    resolve()
    const answer = await asked
    assert.equal(routed.by(answer), 'a')
    assert.equal(routed.calls('a'), 1)
    const { attempts } = await scene.gateway.record(String(answer.headers['x-request-id']))
    assert.deepEqual(
      attempts.map(({ errorClass }) => errorClass),
      [null, 'upstream_5xx'],
    )
  })

  test('the first fails: the second is waited for', async () => {
    const late = behaviours.late(2_000, serverError())
    const routed = await hedged({ behaviour: late }, { behaviour: good({ afterMs: 4_000 }) })
    const answer = await scene.chat(scene.body(routed.model))
    assert.equal(routed.by(answer), 'b')
    assert.equal(routed.calls('b'), 1)
  })

  for (const [first, last] of [
    ['b', 'a'],
    ['a', 'b'],
  ] as const) {
    test(`both fail, ${last} last: the client is told so once, of that one`, async () => {
      const release = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() }
      const failing = (key: 'a' | 'b') => ({ behaviour: onceReleased(release[key].promise, serverError()) })
      const routed = await hedged(failing('a'), failing('b'), { retry: { maxAttempts: 1 } })
      const id = uniqueName('both')
      const asked = scene.chat(scene.body(routed.model, { stream: true }), { 'x-request-id': id })
      await waitFor(() => routed.calls('b') === 1, { what: 'the second to be asked' })
      release[first].resolve()
      await answered(routed, first)
      release[last].resolve()
      const answer = await asked
      const name = routed.nameOf(last)
      const message = assertError(answer, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
      assert.ok(message.includes(name), message)
      assert.deepEqual([answer.headers['x-millrace-provider'], answer.headers['x-millrace-model']], [name, name])
      const { status, provider, providerModel, attempts } = await scene.gateway.record(id)
      assert.deepEqual([status, provider?.name, providerModel], ['ERROR', name, name])
      assert.deepEqual(
        attempts.map(({ errorClass }) => errorClass),
        ['upstream_5xx', 'upstream_5xx'],
      )
    })
  }

  test("the second's content comes in mid-race: not a byte of two answers is mixed", async () => {
    const words = Array.from({ length: 20 }, (_, i) => ` b${i}`)
    const routed = await hedged(
      { behaviour: good({ afterMs: 400, gapMs: 10, words: words.map((word) => word.replace('b', 'a')) }) },
      { behaviour: good({ afterMs: 200, gapMs: 10, words }) },
    )
    const answer = await scene.chat(scene.body(routed.model, { stream: true }))
    const text = [...answer.text.matchAll(/"content":"( [ab]\d+)"/g)].map(([, word]) => word).join('')
    const expected = words.join('')
    assert.ok([expected, expected.replaceAll('b', 'a')].includes(text), text)
    assert.match(answer.text, /\[DONE\]\n\n$/)
  })

  test('who loses gives back its place at its provider', async () => {
    const routed = await hedged({ behaviour: stall('before-headers'), provider: { maxConcurrency: 1 } }, {})
    for (let i = 1; i <= 3; i++) {
      assert.equal(routed.by(await scene.chat(scene.body(routed.model))), 'b')
      assert.equal(routed.calls('a'), i, 'the first choice is asked each time')
    }
  })

  test('its client goes: both are let go', async () => {
    const routed = await hedged({ behaviour: stall('before-headers') }, { behaviour: stall('before-headers') })
    const id = uniqueName('gone')
    const { request } = begin(scene.chatUrl, {
      headers: { authorization: `Bearer ${scene.gateway.token}`, 'x-request-id': id },
    })
    request.end(JSON.stringify(scene.body(routed.model)))
    await waitFor(() => routed.calls('b') === 1, { what: 'the second to be asked' })
    request.destroy()
    await Promise.all([letGo(routed.seen('a')[0]), letGo(routed.seen('b')[0])])
    const { status, httpStatus, attempts, usage } = await scene.gateway.record(id)
    assert.deepEqual([status, httpStatus], ['CANCELLED', 499])
    assert.deepEqual(
      attempts.map(({ errorClass }) => errorClass),
      ['client_cancelled', 'client_cancelled'],
    )
    assert.equal(usage.source, 'ESTIMATED', 'a provider may have begun to work')
    assert.ok(usage.inputTokens > 0)
  })
})

describe("the end of the first route's time", () => {
  const limited = { behaviour: stall('before-headers'), provider: { timeouts: { total: 1_500 } } }

  /** Two other requests. One ends before that and one after: where calls stand among all that are timed has changed then. */
  async function others(): Promise<Promise<Answer>[]> {
    const answers: Promise<Answer>[] = []
    for (const afterMs of [900, 2_500]) {
      const model = await scene.behaving(uniqueName('other'), good({ afterMs }))
      const count = scene.upstream.requests.length + 1
      answers.push(scene.chat(scene.body(model)))
      await scene.upstream.seen(count)
    }
    return answers
  }

  test("is not the second's, nor any other request's", async () => {
    const routed = await hedged(limited, { behaviour: good({ afterMs: 3_000 }) })
    const beside = await others()
    const id = uniqueName('late')
    const answer = await scene.chat(scene.body(routed.model), { 'x-request-id': id })
    assert.equal(routed.by(answer), 'b')
    for (const other of await Promise.all(beside)) assert.equal(other.status, 200)
    const { attempts } = await scene.gateway.record(id)
    assert.deepEqual(
      attempts.map(({ errorClass }) => errorClass),
      ['total_timeout', null],
    )
  })

  test("and then of the second's: the client is told so, and nobody else", async () => {
    const routed = await hedged(limited, limited)
    const beside = await others()
    const id = uniqueName('late')
    const answer = await scene.chat(scene.body(routed.model), { 'x-request-id': id })
    assertError(answer, { status: 504, type: 'timeout_error', code: 'upstream_timeout' })
    assert.equal(answer.headers['x-millrace-provider'], routed.nameOf('b'))
    for (const other of await Promise.all(beside)) assert.equal(other.status, 200)
    const { status, attempts } = await scene.gateway.record(id)
    assert.equal(status, 'TIMEOUT')
    assert.deepEqual(
      attempts.map(({ errorClass }) => errorClass),
      ['total_timeout', 'total_timeout'],
    )
  })
})

describe('no second route is asked', { concurrency: true }, () => {
  test('where the first is quick enough', async () => {
    const routed = await hedged({}, {}, { hedge: { afterMs: 10_000, maxExtraPercent: 100 } })
    assert.equal(routed.by(await scene.chat(scene.body(routed.model))), 'a')
    assert.equal(routed.calls('b'), 0)
  })

  test('once the first has begun to answer, however slowly it goes on', async () => {
    const routed = await hedged(
      { behaviour: good({ gapMs: 600 }) },
      {},
      { hedge: { afterMs: 3_000, maxExtraPercent: 100 } },
    )
    assert.equal(routed.by(await scene.chat(scene.body(routed.model, { stream: true }))), 'a')
    assert.equal(routed.calls('b'), 0)
  })

  test('unless the alias says so', async () => {
    const routed = await scene.routed({ a: { behaviour: slow }, b: { priority: 1 } })
    assert.equal(routed.by(await scene.chat(scene.body(routed.model))), 'a')
    assert.equal(routed.calls('b'), 0)
  })

  test('beyond the share of requests that may be asked twice', async () => {
    const routed = await hedged({ behaviour: slow }, {}, { hedge: { afterMs: 50, maxExtraPercent: 10 } })
    const answers = Array.from({ length: 60 }, () => scene.chat(scene.body(routed.model)))
    for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
    assert.ok(routed.calls('b') >= 1 && routed.calls('b') <= 12, `${routed.calls('b')} of 60 were asked twice`)
  })
})
