/** Whose requests stay with one route, by which subject. In one process. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { BY_USER, decide, outcome, routeOf, type AB, type Ask } from './sticky/asking.ts'

let project: string
const scene = useScene({}, async ({ gateway }) => {
  project = await gateway.projectId()
})

describe('the scope', { concurrency: true }, () => {
  interface Subject {
    readonly scope: 'USER' | 'CONVERSATION'
    readonly ask: (name: string) => Ask
  }
  const subjects: Readonly<Record<string, Subject>> = {
    "USER by the body's user": { scope: 'USER', ask: (user) => ({ user }) },
    "USER by the body's safety_identifier": {
      scope: 'USER',
      ask: (name) => ({ body: { safety_identifier: name } }),
    },
    'USER by x-millrace-user, before the body': {
      scope: 'USER',
      ask: (name) => ({ user: 'everybody', headers: { 'x-millrace-user': name } }),
    },
    "CONVERSATION by the body's prompt_cache_key": {
      scope: 'CONVERSATION',
      ask: (name) => ({ user: 'everybody', body: { prompt_cache_key: name } }),
    },
    "CONVERSATION by the body's conversation": {
      scope: 'CONVERSATION',
      ask: (name) => ({ user: 'everybody', body: { conversation: name } }),
    },
    'CONVERSATION by x-millrace-conversation': {
      scope: 'CONVERSATION',
      ask: (name) => ({ body: { prompt_cache_key: 'all' }, headers: { 'x-millrace-conversation': name } }),
    },
  }
  for (const [name, { scope, ask }] of Object.entries(subjects)) {
    test(name, async () => {
      const routed: AB = await scene.routed({ a: {}, b: {} }, { sticky: { scope, ttlSeconds: 600 } })
      const seen = new Set<string>()
      // Sixteen subjects on one of two routes each: that all share one is less likely than an error in this machine.
      for (let i = 0; i < 16; i++) {
        const first = await routeOf(scene, routed, ask(`subject-${i}`))
        for (let again = 0; again < 3; again++) assert.equal(await routeOf(scene, routed, ask(`subject-${i}`)), first)
        seen.add(first)
      }
      assert.deepEqual(seen, new Set(['a', 'b']))
    })
  }

  test('TOKEN', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, { sticky: { scope: 'TOKEN', ttlSeconds: 600 } })
    const tokens = await Promise.all(Array.from({ length: 16 }, () => scene.gateway.addToken()))
    await scene.gateway.untilServed()
    const seen = new Set<string>()
    for (const { secret } of tokens) {
      const headers = { authorization: `Bearer ${secret}` }
      const first = await routeOf(scene, routed, { headers })
      for (const user of ['ann', 'bob', 'cyd']) assert.equal(await routeOf(scene, routed, { user, headers }), first)
      seen.add(first)
    }
    assert.deepEqual(seen, new Set(['a', 'b']))
  })

  test('is told in the decision, with the key that operators see', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const first = await decide(scene, routed, { user: 'ann' })
    assert.deepEqual(outcome(first.sticky), ['USER', false, 'BIND'])
    const key = `${routed.aliasId}:${project}:USER:ann`
    assert.equal(first.sticky.key, key)
    assert.equal(first.sticky.backend, 'memory')
    const second = await decide(scene, routed, { user: 'ann' })
    assert.deepEqual(outcome(second.sticky), ['USER', true, 'HIT'])
    assert.equal(second.sticky.key, key)
    assert.equal(second.sticky.boundAt, first.sticky.boundAt)
    const left = Date.parse(second.sticky.expiresAt!) - Date.now()
    assert.ok(left > 500_000 && left <= 600_500, `${left} ms`)
    assert.equal(routed.selected(second.decision), routed.selected(first.decision))
  })

  test('without a subject binds nothing', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const { sticky } = await decide(scene, routed, {})
    assert.deepEqual([...outcome(sticky), sticky.key], ['USER', false, 'NONE', null])
  })

  test('of a long subject is a digest, and still one of its own', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const long = 'x'.repeat(400)
    const { sticky } = await decide(scene, routed, { user: `${long}1` })
    assert.match(sticky.key!, /:USER:sha256:[0-9a-f]{64}$/)
    const other = await decide(scene, routed, { user: `${long}2` })
    assert.notEqual(other.sticky.key, sticky.key)
    assert.deepEqual(outcome((await decide(scene, routed, { user: `${long}1` })).sticky), ['USER', true, 'HIT'])
  })

  test('is another for one request: x-millrace-sticky, where the alias has one at all', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const none = await decide(scene, routed, { user: 'ann', headers: { 'x-millrace-sticky': 'none' } })
    assert.deepEqual([...outcome(none.sticky), none.sticky.key], ['NONE', false, 'NONE', null])
    const token = await decide(scene, routed, { user: 'ann', headers: { 'x-millrace-sticky': 'token' } })
    assert.deepEqual(outcome(token.sticky), ['TOKEN', false, 'BIND'])
    const talk = { 'x-millrace-sticky': 'conversation', 'x-millrace-conversation': 'talk' }
    assert.deepEqual(outcome((await decide(scene, routed, { headers: talk })).sticky), ['CONVERSATION', false, 'BIND'])
    assert.deepEqual(outcome((await decide(scene, routed, { user: 'ann' })).sticky), ['USER', false, 'BIND'])

    const plain: AB = await scene.routed({ a: {}, b: {} })
    const asked = await decide(scene, plain, { user: 'ann', headers: { 'x-millrace-sticky': 'user' } })
    assert.deepEqual(outcome(asked.sticky), ['NONE', false, 'NONE'])
  })

  test('holds for streams too', async () => {
    const routed: AB = await scene.routed({ a: {}, b: {} }, BY_USER)
    const first = await routeOf(scene, routed, { user: 'ann', body: { stream: true } })
    for (let i = 0; i < 6; i++)
      assert.equal(await routeOf(scene, routed, { user: 'ann', body: { stream: i % 2 === 0 } }), first)
  })
})

describe('many', { concurrency: true }, () => {
  test('twenty first requests at once of one subject share one route', async () => {
    const slow = { behaviour: behaviours.answer({ afterMs: 100 }) }
    const routed: AB = await scene.routed({ a: slow, b: slow }, BY_USER)
    for (let subject = 0; subject < 5; subject++) {
      const keys = await Promise.all(
        Array.from({ length: 20 }, () => routeOf(scene, routed, { user: `user-${subject}` })),
      )
      assert.equal(new Set(keys).size, 1, keys.join(' '))
    }
  })

  test('a thousand subjects meet the weights', async () => {
    const routed: AB = await scene.routed({ a: { weight: 3 }, b: { weight: 1 } }, BY_USER)
    let a = 0
    for (let at = 0; at < 1_000; at += 50) {
      const keys = await Promise.all(
        Array.from({ length: 50 }, (_, i) => routeOf(scene, routed, { user: `user-${at + i}` })),
      )
      a += keys.filter((key) => key === 'a').length
    }
    assert.ok(a >= 680 && a <= 820, `${a} of 1,000`)
  })
})
