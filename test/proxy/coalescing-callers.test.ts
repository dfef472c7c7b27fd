/** Which requests share a call, and what each of its callers has for itself all the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import {
  addCached,
  assertCost,
  COST_USD,
  joining,
  numbered,
  outcomeOf,
  outcomes,
  recordOf,
  type Cached,
  type CachedOptions,
} from './cache/caching.ts'

const scene = useScene()
const STREAM = { stream: true }

const addCoalescing = ({ cache, ...options }: CachedOptions = {}): Promise<Cached> =>
  addCached(scene, { cache: { enabled: false, coalesce: true, ...cache }, ...options })

describe('never one call', () => {
  const variants: Readonly<Record<string, readonly object[]>> = {
    'are requests of which one is streamed': [{}, STREAM],
    'are requests with other limits of what may come': [{ max_tokens: 10 }, { max_tokens: 11 }, {}],
    'are requests with another seed': [{ seed: 1 }, { seed: 2 }],
  }
  for (const [name, bodies] of Object.entries(variants)) {
    test(name, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()) })
      const asked = await joining(scene.gateway.proxy, bodies.length, () =>
        bodies.flatMap((body) => [cached.ask(body), cached.ask(body)]),
      )
      await waitFor(() => cached.calls === bodies.length)
      resolve()
      const answers = await Promise.all(asked)
      assert.equal(outcomes(answers)['COALESCED'], bodies.length)
      assert.equal(cached.calls, bodies.length)
      for (let i = 0; i < answers.length; i += 2) assert.equal(answers[i]!.text, answers[i + 1]!.text)
    })
  }

  test('are requests that forbid the cache, or bring their own key', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()) })
    const { secret } = await scene.gateway.addToken({ access: { ownKeys: true } })
    await scene.gateway.untilServed()
    const own = { token: secret, headers: { 'x-millrace-upstream-key': 'sk-own-key-of-the-client-0123' } }
    const store = { token: secret, headers: { 'cache-control': 'no-store' } }
    const asked = [own, own, store, store].map((asking) => cached.ask({}, asking))
    await waitFor(() => cached.calls === 4)
    resolve()
    assert.deepEqual(outcomes(await Promise.all(asked)), { BYPASS: 4 })
  })

  test('are requests where their alias does not say so', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const behaviour = behaviours.onceReleased(promise, numbered())
    const cached = await addCached(scene, { behaviour, cache: { coalesce: false } })
    const asked = [cached.ask(), cached.ask()]
    await waitFor(() => cached.calls === 2)
    resolve()
    assert.deepEqual(outcomes(await Promise.all(asked)), { MISS: 2 })
  })
})

describe('each caller has what it asked for itself', () => {
  for (const stream of [false, true]) {
    test(`x-millrace-include, ${stream ? 'streamed' : 'unstreamed'}`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()) })
      const [one, two] = [uniqueName('include'), uniqueName('include')]
      const headersOf = (id: string) => ({ 'x-request-id': id, 'x-millrace-include': 'metadata' })
      const leading = cached.ask({ stream }, { headers: headersOf(one) })
      await waitFor(() => cached.calls === 1)
      const following = await joining(scene.gateway.proxy, 2, () => [
        cached.ask({ stream }),
        cached.ask({ stream }, { headers: headersOf(two) }),
      ])
      resolve()
      const [leader, plain, follower] = await Promise.all([leading, ...following])
      const metadataOf = ({ text }: Answer) => {
        const json = stream
          ? text
              .split('\n\n')
              .at(-3)!
              .replace(/^data: /, '')
          : text
        return (JSON.parse(json) as { metadata: Record<string, unknown> }).metadata
      }
      assert.doesNotMatch(plain!.text, /"request_id"/)
      assert.deepEqual([outcomeOf(plain!), outcomeOf(follower!)], ['COALESCED', 'COALESCED'])
      const [paid, joined] = [metadataOf(leader), metadataOf(follower!)]
      assert.deepEqual([paid['request_id'], joined['request_id']], [one, two])
      assert.deepEqual([paid['cached'], joined['cached'], joined['cache_tier']], [false, false, null])
      assertCost(Number(paid['cost_usd']), COST_USD)
      assert.equal(Number(joined['cost_usd']), 0)
      assert.notEqual(joined['cost_usd'], null)
    })

    test(`x-millrace-sync, ${stream ? 'streamed' : 'unstreamed'}`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()) })
      const ids = Array.from({ length: 5 }, () => uniqueName('sync'))
      const ask = async (id: string) => {
        const answer = await cached.ask({ stream }, { headers: { 'x-request-id': id, 'x-millrace-sync': 'true' } })
        return { answer, stored: await scene.gateway.stored(id) }
      }
      const asked = await joining(scene.gateway.proxy, 4, () => ids.map(ask))
      resolve()
      for (const { answer, stored } of await Promise.all(asked)) {
        assert.deepEqual([answer.status, stored.length, stored[0]?.status], [200, 1, 'SUCCESS'])
      }
      assert.equal(cached.calls, 1)
    })
  }

  test('its own provider and model in the headers, its own attempts', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()) })
    const asked = await joining(scene.gateway.proxy, 1, () => [cached.ask(), cached.ask()])
    resolve()
    const answers = await Promise.all(asked)
    const follower = answers.find((answer) => outcomeOf(answer) === 'COALESCED')!
    assert.equal(follower.headers['x-millrace-provider'], cached.routed.nameOf('only'))
    assert.equal(follower.headers['x-millrace-model'], cached.routed.nameOf('only'))
    const record = await recordOf(scene.gateway, follower)
    assert.deepEqual(
      [record.provider?.name, record.attempts, record.cacheTier],
      [cached.routed.nameOf('only'), [], null],
    )
  })
})
