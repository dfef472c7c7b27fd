/** What moves a subject's binding to another route, and what ends it. In one process. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { unhurried, waitFor } from '../helpers/wait.ts'
import { BY_USER, decide, outcome, routeOf, type AB } from './sticky/asking.ts'

const scene = useScene()
const { badRequest, serverError } = behaviours
const good = behaviours.answer()

describe('a binding', { concurrency: true }, () => {
  test('moves when its route fails, and back once that is well again, for it is of better priority', async () => {
    const routed: AB = await scene.routed({ a: {}, b: { priority: 1 } }, BY_USER)
    assert.equal(await routeOf(scene, routed, { user: 'ann' }), 'a')
    routed.behaves('a', serverError())
    const moved = await decide(scene, routed, { user: 'ann' })
    assert.equal(routed.by(moved.answer), 'b')
    assert.deepEqual(outcome(moved.sticky), ['USER', false, 'REBIND_UNAVAILABLE'])
    routed.behaves('a', good)
    const back = await decide(scene, routed, { user: 'ann' })
    assert.equal(routed.by(back.answer), 'a')
    assert.deepEqual(outcome(back.sticky), ['USER', false, 'REBIND_UNAVAILABLE'])
    assert.deepEqual(outcome((await decide(scene, routed, { user: 'ann' })).sticky), ['USER', true, 'HIT'])
  })

  test('that has moved to a route of the same priority stays there', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const first = await routeOf(scene, routed, { user: 'ann' })
    const other = first === 'a' ? 'b' : 'a'
    routed.behaves(first, serverError())
    assert.equal(await routeOf(scene, routed, { user: 'ann' }), other)
    routed.behaves(first, good)
    for (let i = 0; i < 5; i++) assert.equal(await routeOf(scene, routed, { user: 'ann' }), other)
  })

  test('moves where its route cannot be taken, and says so', async () => {
    const full = { behaviour: behaviours.stall('before-headers'), provider: { maxConcurrency: 1 } }
    const routed: AB = await scene.routed({ a: { ...full, behaviour: good }, b: { priority: 1 } }, BY_USER)
    assert.equal(await routeOf(scene, routed, { user: 'ann' }), 'a')
    routed.behaves('a', full.behaviour)
    const calls = routed.calls('a')
    const holder = scene.open(scene.body(routed.model, { user: 'holder' })).catch(() => undefined)
    await waitFor(() => routed.calls('a') > calls)
    const moved = await decide(scene, routed, { user: 'ann' })
    assert.equal(routed.by(moved.answer), 'b')
    assert.equal(moved.sticky.action, 'REBIND_UNAVAILABLE')
    routed.behaves('a', good)
    void holder
  })

  test('is not moved by what the client got wrong', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const first = await routeOf(scene, routed, { user: 'ann' })
    routed.behaves(first, badRequest())
    for (let i = 0; i < 3; i++) {
      const { answer } = await decide(scene, routed, { user: 'ann' })
      assert.equal(answer.status, 400)
    }
    routed.behaves(first, good)
    const { answer, sticky } = await decide(scene, routed, { user: 'ann' })
    assert.equal(routed.by(answer), first)
    assert.equal(sticky.action, 'HIT')
  })

  test('is not moved by a hedge that was quicker', async () => {
    const hedge = { afterMs: 2_000, maxExtraPercent: 100 }
    const routed: AB = await scene.routed({ a: {}, b: {} }, { ...BY_USER, hedge })
    const first = await routeOf(scene, routed, { user: 'ann' })
    routed.behaves(first, behaviours.stall('before-headers'))
    const raced = await decide(scene, routed, { user: 'ann' })
    assert.notEqual(routed.by(raced.answer), first)
    assert.deepEqual(outcome(raced.sticky), ['USER', true, 'HIT'])
    routed.behaves(first, good)
    const { answer, sticky } = await decide(scene, routed, { user: 'ann' })
    assert.equal(routed.by(answer), first)
    assert.deepEqual(outcome(sticky), ['USER', true, 'HIT'])
  })

  test('ends some time after its last use, and is made anew', async () => {
    await unhurried(3_000, async (milliseconds, late) => {
      const ttlSeconds = milliseconds / 1_000
      const routed: AB = await scene.routed({ a: {}, b: {} }, { sticky: { scope: 'USER', ttlSeconds } })
      const { sticky } = await decide(scene, routed, { user: 'ann' })
      assert.equal(sticky.action, 'BIND')
      const expiresAt = Date.parse(sticky.expiresAt!)
      await sleep(Math.max(0, expiresAt - Date.now() + 300))
      const then = await decide(scene, routed, { user: 'ann' })
      // For as long again it is remembered that there was one.
      late(Date.now() > expiresAt + milliseconds * 0.9)
      assert.deepEqual(outcome(then.sticky), ['USER', false, 'REBIND_EXPIRED'])
    })
  })

  test('lives on as long as it is used', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, { sticky: { scope: 'USER', ttlSeconds: 10 } })
    assert.equal((await decide(scene, routed, { user: 'ann' })).sticky.action, 'BIND')
    for (let i = 0; i < 4; i++) {
      await sleep(3_000)
      assert.equal((await decide(scene, routed, { user: 'ann' })).sticky.action, 'HIT')
    }
  })

  test('is forgotten when an operator says so: one, or all of an alias', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const [ann, bob] = await Promise.all([
      decide(scene, routed, { user: 'ann' }),
      decide(scene, routed, { user: 'bob' }),
    ])
    assert.deepEqual([ann.sticky.action, bob.sticky.action], ['BIND', 'BIND'])
    const clear = (key: string | null) =>
      scene.gateway.control.gql(
        'mutation ($alias: ID!, $key: String) { clearStickyBindings(alias: $alias, key: $key) }',
        { alias: routed.aliasId, key },
      )
    await clear(ann.sticky.key)
    await waitFor(async () => (await decide(scene, routed, { user: 'ann' })).sticky.action === 'BIND', {
      what: "ann's binding to be forgotten",
    })
    assert.equal((await decide(scene, routed, { user: 'bob' })).sticky.action, 'HIT')
    await clear(null)
    await waitFor(async () => (await decide(scene, routed, { user: 'bob' })).sticky.action === 'BIND', {
      what: 'all bindings to be forgotten',
    })
    assert.equal((await decide(scene, routed, { user: 'ann' })).sticky.action, 'BIND')
  })

  test('is listed for operators', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const { sticky, decision } = await decide(scene, routed, { user: 'ann' })
    interface Binding {
      readonly key: string
      readonly scope: string
      readonly alias: { readonly id: string }
      readonly route: { readonly id: string }
    }
    const binding = await waitFor(
      async () => {
        const { stickyBindings } = await scene.gateway.control.gql<{ stickyBindings: Binding[] }>(
          'query ($alias: ID!) { stickyBindings(alias: $alias) { key scope alias { id } route { id } } }',
          { alias: routed.aliasId },
        )
        return stickyBindings.find(({ key }) => key === sticky.key)
      },
      { what: 'the binding to be listed', timeoutMs: 20_000 },
    )
    assert.equal(binding.scope, 'USER')
    assert.equal(binding.alias.id, routed.aliasId)
    assert.equal(binding.route.id, decision.selectedRoute!.id)
  })
})
