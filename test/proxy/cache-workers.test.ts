/** A proxy of two workers: each keeps answers of its own, and together they are one to operators. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { useScene } from '../helpers/scene.ts'
import { waitFor } from '../helpers/wait.ts'
import { addCached, cacheStats, outcomeOf, outcomes, recordsOf, settledStats, type Cached } from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'
import { metric } from './workers/crew.ts'

const scene = useScene({ proxyEnv: { MILLRACE_WORKERS: '2' } })

/** Asks, each time by a connection of its own, until both workers have the answer. */
async function fill(cached: Cached, more: object = {}): Promise<number> {
  for (let asked = 1; ; asked++) {
    await cached.ask(more)
    // Connections go to workers in turn.
    if (cached.calls === 2 || asked === 20) return asked
  }
}

async function purge(input: object): Promise<number> {
  const { purgeCache } = await scene.gateway.control.gql<{ purgeCache: number }>(
    'mutation ($input: PurgeCacheInput!) { purgeCache(input: $input) }',
    { input },
  )
  return purgeCache
}

describe('two workers', () => {
  test('each ask once, and have the answer from then on', async () => {
    const cached = await addCached(scene)
    const answers = await Promise.all(Array.from({ length: 40 }, () => cached.ask()))
    await fill(cached)
    for (let i = 0; i < 10; i++) answers.push(await cached.outcome('HIT'))
    assert.equal(cached.calls <= 40, true)
    assert.ok((outcomes(answers)['HIT'] ?? 0) >= 10)
  })

  test('share a call each', async () => {
    const spoken = new Spoken()
    const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: { enabled: false, coalesce: true } })
    spoken.say('one')
    const answers = await Promise.all(Array.from({ length: 100 }, () => cached.open({ stream: true })))
    for (const answer of answers) await answer.until('one')
    spoken.end()
    for (const answer of answers) assert.ok((await answer.rest()).complete)
    assert.equal(cached.calls, 2)
    assert.equal(outcomes(answers)['COALESCED'], 98)
    const records = await recordsOf(scene.gateway, cached.model, 100)
    assert.equal(records.filter(({ attempts }) => attempts.length === 1).length, 2)
  })

  test('are purged together', async () => {
    const cached = await addCached(scene)
    await fill(cached)
    await cached.outcome('HIT')
    await cached.outcome('HIT')
    assert.equal(await purge({ model: cached.model }), 2)
    for (let i = 3; i <= 4; i++) {
      await waitFor(async () => outcomeOf(await cached.ask()) === 'MISS')
      assert.equal(cached.calls, i)
    }
    await cached.outcome('HIT')
  })

  test('are told of as one', async () => {
    const before = await settledStats(scene.gateway)
    const cached = await addCached(scene)
    const asked = await fill(cached)
    for (let i = 0; i < 4; i++) await cached.outcome('HIT')
    await waitFor(
      async () => {
        const now = await cacheStats(scene.gateway)
        const more = (name: string): number => now[name]! - before[name]!
        assert.deepEqual([more('misses'), more('stores'), more('hits')], [2, 2, asked - 2 + 4])
        assert.equal(more('entries'), 2)
        return true
      },
      { what: 'the counts' },
    )
    let hits = 0
    for (const [labels, value] of await metric(scene.gateway.proxy, 'millrace_cache_total'))
      if (labels.includes('outcome="HIT"')) hits += value
    assert.ok(hits >= asked + 2)
  })
})
