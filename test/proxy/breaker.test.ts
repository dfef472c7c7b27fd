/** The breaker of each provider: when it opens, what becomes of requests then, and how it closes again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { setBreaker } from '../helpers/configuration.ts'
import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredDecision } from '../helpers/stored-record.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

const scene = useScene()
const { badRequest, rateLimited, serverError, unauthorized } = behaviours
/** Once open it stays so for the test. */
const AT_THREE = { consecutiveFailures: 3, openSeconds: 600, maxOpenSeconds: 600 }
/** One try a request: what the breaker has counted can be read off. */
const ONCE = { retry: { maxAttempts: 1 } }

const ask = <K extends string>({ model }: Routed<K>) => scene.chat(scene.body(model))

async function decisionOf<K extends string>(routed: Routed<K>): Promise<StoredDecision> {
  const answer = await ask(routed)
  return (await scene.gateway.record(String(answer.headers['x-request-id']))).decision!
}

/** Asks until a breaker has opened: requests go on to the other route, without a try of the first. */
async function trip(routed: Routed<'first' | 'other'>, failures: number): Promise<void> {
  for (let i = 0; i < failures; i++) await ask(routed)
  const calls = routed.calls('first')
  for (let i = 0; i < 3; i++) assert.equal(routed.by(await ask(routed)), 'other')
  assert.equal(routed.calls('first'), calls, 'an open breaker lets nothing through')
}

describe('a breaker', { concurrency: true }, () => {
  test('opens at so many failures in a row; requests go on to the other route, and the decision says why', async () => {
    const routed = await scene.routed({
      first: { behaviour: serverError(), provider: { breaker: AT_THREE } },
      other: { priority: 1 },
    })
    await trip(routed, 3)
    assert.equal(routed.calls('first'), 3)
    const decision = await decisionOf(routed)
    assert.deepEqual(routed.excluded(decision), { first: 'BREAKER_OPEN', other: null })
    assert.equal(routed.selected(decision), 'other')
    assert.equal(decision.fallbackUsed, false, 'nothing else was tried')
  })

  test('opens at half of at least ten in its window, unless told otherwise', async () => {
    const half = behaviours.inTurn(...turns(10))
    const routed = await scene.routed({ first: { behaviour: half }, other: { priority: 1 } })
    await trip(routed, 10)
    assert.equal(routed.calls('first'), 10)
  })
  function turns(count: number) {
    const all = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? behaviours.answer() : serverError()))
    return all as [(typeof all)[0], ...typeof all]
  }

  test('counts what each kind of failure is: transport, timeouts, what cannot be read', async () => {
    const failures = [
      behaviours.reset(),
      behaviours.html(200),
      behaviours.okWithError(),
      behaviours.truncatedJson(),
      behaviours.stall('mid-body'),
    ]
    for (const behaviour of failures) {
      const provider = { breaker: AT_THREE, timeouts: { idle: 300 } }
      await trip(await scene.routed({ first: { behaviour, provider }, other: { priority: 1 } }), 3)
    }
  })

  test('counts streams that break off', async () => {
    for (const behaviour of [behaviours.errorEventLater(), behaviours.missingDone(), behaviours.cutOff('mid-event')]) {
      const routed = await scene.routed({
        first: { behaviour, provider: { breaker: AT_THREE } },
        other: { priority: 1 },
      })
      for (let i = 0; i < 3; i++) await scene.chat(scene.body(routed.model, { stream: true }))
      assert.equal(routed.by(await scene.chat(scene.body(routed.model, { stream: true }))), 'other')
      assert.equal(routed.calls('first'), 3)
    }
  })

  test('counts neither way what is the client or the key', async () => {
    for (const behaviour of [badRequest(), behaviours.notFound(), unauthorized(), rateLimited()]) {
      const routed = await scene.routed({ first: { behaviour, provider: { breaker: AT_THREE } } }, ONCE)
      for (let i = 0; i < 12; i++) await ask(routed)
      const { candidates } = await decisionOf(routed)
      assert.equal(candidates[0]!.excluded, null)
      assert.equal(routed.calls('first'), 13)
    }
  })

  test('does not count a client that went', async () => {
    const routed = await scene.routed({
      first: { behaviour: behaviours.stall('mid-body'), provider: { breaker: AT_THREE } },
    })
    for (let i = 0; i < 6; i++) {
      const answer = await scene.open(scene.body(routed.model, { stream: true }))
      await answer.until('from')
      answer.abort()
    }
    routed.behaves('first', behaviours.answer())
    assert.equal((await decisionOf(routed)).candidates[0]!.excluded, null)
  })

  test('does not count clients that read nothing of an answer until its time is over', async () => {
    const provider = { breaker: AT_THREE, timeouts: { total: 3_000 } }
    const routed = await scene.routed({ first: { behaviour: behaviours.endless(), provider } })
    const ids = Array.from({ length: 6 }, () => uniqueName('unread'))
    const answers = await Promise.all(
      ids.map((id) => scene.open(scene.body(routed.model, { stream: true }), { 'x-request-id': id })),
    )
    for (const { stream } of answers) stream.pause()
    await Promise.all(routed.seen('first').map(({ ended }) => ended))
    for (const answer of answers) answer.abort()
    for (const id of ids) assert.equal((await scene.gateway.record(id)).attempts[0]!.errorClass, 'total_timeout')
    routed.behaves('first', behaviours.answer())
    assert.equal((await decisionOf(routed)).candidates[0]!.excluded, null)
  })

  test('that is open does not keep requests from the least bad where there is no other', async () => {
    const routed = await scene.routed({ only: { behaviour: serverError(), provider: { breaker: AT_THREE } } }, ONCE)
    for (let i = 0; i < 4; i++) await ask(routed)
    assert.equal((await decisionOf(routed)).candidates[0]!.excluded, 'BREAKER_OPEN')
    assert.equal(routed.calls('only'), 5)
    routed.behaves('only', behaviours.answer())
    assert.equal((await ask(routed)).status, 200)
  })

  test('that is open beside another: the one that opened first is the least bad', async () => {
    const breaker = { consecutiveFailures: 1, openSeconds: 600, maxOpenSeconds: 600 }
    const routed = await scene.routed(
      {
        first: { behaviour: serverError(), provider: { breaker } },
        other: { behaviour: serverError(), provider: { breaker }, priority: 1 },
      },
      { retry: { maxAttempts: 2 } },
    )
    assert.equal((await ask(routed)).status, 502)
    const { decision, attempts } = await scene.gateway.record(String((await ask(routed)).headers['x-request-id']))
    assert.deepEqual(routed.excluded(decision!), { first: 'BREAKER_OPEN', other: 'BREAKER_OPEN' })
    assert.ok(attempts.length >= 1, 'something is tried')
    routed.behaves('first', behaviours.answer())
    routed.behaves('other', behaviours.answer())
    assert.equal((await ask(routed)).status, 200)
  })

  test('of one provider holds for all of its routes, and for no other provider', async () => {
    const routed = await scene.routed({
      first: { behaviour: serverError(), provider: { breaker: AT_THREE } },
      other: { priority: 1 },
    })
    await trip(routed, 3)
    const alias = `${routed.model}-too`
    await scene.gateway.addAlias(alias, [
      { provider: routed.provider('first'), providerModel: 'another-model' },
      { provider: routed.provider('other'), providerModel: 'another-model', priority: 1 },
    ])
    await scene.gateway.untilServed()
    const answer = await scene.chat(scene.body(alias))
    assert.equal(answer.headers['x-millrace-provider'], routed.nameOf('other'))
  })
})

describe('a breaker whose time is over', { concurrency: true }, () => {
  test('lets one trial through at a time; when that succeeds it is closed', async () => {
    const release = Promise.withResolvers<void>()
    const breaker = { consecutiveFailures: 3, openSeconds: 1 }
    const routed = await scene.routed({
      first: { behaviour: serverError(), provider: { breaker } },
      other: { priority: 1 },
    })
    for (let i = 0; i < 3; i++) await ask(routed)
    routed.behaves('first', behaviours.onceReleased(release.promise, behaviours.answer()))
    await sleep(1_500)
    const trial = ask(routed)
    await waitFor(() => routed.calls('first') === 4, { what: 'the trial' })
    const beside = await Promise.all(Array.from({ length: 10 }, () => ask(routed)))
    assert.deepEqual(routed.count(beside), { other: 10 })
    release.resolve()
    assert.equal(routed.by(await trial), 'first')
    await waitFor(async () => routed.by(await ask(routed)) === 'first', { what: 'the breaker to close' })
    assert.equal(routed.by(await ask(routed)), 'first')
  })

  test('opens again for longer each time that its trial fails', async () => {
    const breaker = { consecutiveFailures: 3, openSeconds: 1, maxOpenSeconds: 60 }
    const routed = await scene.routed({
      first: { behaviour: serverError(), provider: { breaker } },
      other: { priority: 1 },
    })
    // Three to open it, and three trials: after one, two and four seconds.
    await waitFor(
      async () => {
        assert.equal(routed.by(await ask(routed)), 'other')
        return routed.calls('first') >= 6
      },
      { timeoutMs: 60_000, intervalMs: 50, what: 'three trials' },
    )
    const at = routed.seen('first').map((seen) => seen.at)
    for (const [trial, seconds] of [1, 2, 4].entries()) {
      const gap = at[trial + 3]! - at[trial + 2]!
      assert.ok(gap >= seconds * 950, `trial ${trial} after ${gap} ms, not ${seconds} s`)
    }
  })
})

describe('an operator', { concurrency: true }, () => {
  test('forces one open: nothing is tried there, until it is handed back', async () => {
    const routed = await scene.routed({ first: {}, other: { priority: 1 } })
    const { control } = scene.gateway
    assert.equal(routed.by(await ask(routed)), 'first')
    await setBreaker(control, routed.provider('first'), 'FORCED_OPEN')
    await waitFor(async () => routed.by(await ask(routed)) === 'other', { what: 'the forced state to be obeyed' })
    assert.deepEqual(routed.excluded(await decisionOf(routed)), { first: 'BREAKER_OPEN', other: null })
    await setBreaker(control, routed.provider('first'), 'CLOSED')
    await waitFor(async () => routed.by(await ask(routed)) === 'first', { what: 'the breaker to be handed back' })
  })

  test('forces the only one open: not even as the least bad', async () => {
    const routed = await scene.routed({ only: {} })
    await setBreaker(scene.gateway.control, routed.provider('only'), 'FORCED_OPEN')
    const refused = await waitFor(async () => {
      const answer = await ask(routed)
      return answer.status !== 200 && answer
    })
    assertError(refused, { status: 503, type: 'upstream_error', code: 'no_route_available' })
    const calls = routed.calls('only')
    for (let i = 0; i < 3; i++) await ask(routed)
    assert.equal(routed.calls('only'), calls)
  })

  test('forces one closed: requests go through, whatever becomes of them', async () => {
    const routed = await scene.routed({
      first: { behaviour: serverError(), provider: { breaker: AT_THREE } },
      other: { priority: 1 },
    })
    await trip(routed, 3)
    await setBreaker(scene.gateway.control, routed.provider('first'), 'FORCED_CLOSED')
    await waitFor(
      async () => {
        await ask(routed)
        return routed.calls('first') > 10
      },
      { what: 'requests to go through' },
    )
  })

  test('hands an open one back to itself: it begins anew', async () => {
    const routed = await scene.routed({
      first: { behaviour: serverError(), provider: { breaker: AT_THREE } },
      other: { priority: 1 },
    })
    await trip(routed, 3)
    routed.behaves('first', behaviours.answer())
    await setBreaker(scene.gateway.control, routed.provider('first'), 'CLOSED')
    await waitFor(async () => routed.by(await ask(routed)) === 'first', { what: 'the breaker to begin anew' })
  })
})
