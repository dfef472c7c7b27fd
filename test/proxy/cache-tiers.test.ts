/** The answer cache over its tiers: what is asked when, and what a purge leaves of what is under way. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { newId } from '@millrace/shared'
import { pino } from 'pino'

import { AnswerCache, openCache } from '../../packages/proxy/dist/cache/cache.js'
import { MemoryRoom } from '../../packages/proxy/dist/cache/memory-tier.js'
import type { SharedLook, SharedStore } from '../../packages/proxy/dist/cache/store.js'
import { cacheKey, EVERYTHING, here, KEY, SCOPE, storedAnswer } from './cache/answers.ts'

const MIB = 1_048_576
const SILENT = pino({ level: 'silent' })

function inMemory(bytes = 4 * MIB): AnswerCache {
  return openCache({ bytes, redis: null, log: SILENT })
}

suite('the answer cache in memory', () => {
  test('answers without a promise, and counts as it is told', () => {
    const cache = inMemory()
    const { hit, fill } = here(cache)
    assert.equal(hit, null)
    const answer = storedAnswer()
    assert.equal(cache.store(KEY, answer, fill), true)
    assert.deepEqual(here(cache).hit, { answer, tier: 'MEMORY' })
    cache.outcomes.count('MISS', null)
    cache.outcomes.count('HIT', 'MEMORY')
    cache.outcomes.count('HIT', 'SHARED')
    cache.outcomes.count('BYPASS', null)
    cache.outcomes.count('COALESCED', null)
    const { bytes, ...counts } = cache.report()
    assert.deepEqual(counts, { entries: 1, hits: 2, misses: 1, stores: 1, bypasses: 1, coalesced: 1 })
    assert.ok(bytes > answer.body.length && bytes < 2_000, String(bytes))
  })

  test('gives no answer that is older than wanted', () => {
    const cache = inMemory()
    const { fill } = here(cache)
    cache.store(KEY, storedAnswer({ storedAt: Date.now() - 10_000 }), fill)
    assert.notEqual(here(cache, KEY, 60_000).hit, null)
    assert.equal(here(cache, KEY, 9_000).hit, null)
    assert.equal(here(cache, KEY, 0).hit, null)
    assert.notEqual(here(cache).hit, null, 'it is still there')
  })

  test('stores nothing that is too large', () => {
    const cache = inMemory(2 * MIB)
    assert.equal(cache.mostAnswerBytes, MIB / 4)
    const { fill } = here(cache)
    assert.equal(cache.store(KEY, storedAnswer({ body: 'x'.repeat(MIB / 4) }), fill), false)
    assert.equal(cache.store(KEY, storedAnswer({ body: 'x'.repeat(MIB / 4 - 2_000) }), fill), true)
    assert.equal(inMemory(1_024 * MIB).mostAnswerBytes, 4 * MIB)
    assert.equal(inMemory(0).mostAnswerBytes, 4 * MIB)
  })

  test('is none of 0 bytes', async () => {
    const cache = inMemory(0)
    const { fill } = here(cache)
    cache.store(KEY, storedAnswer(), fill)
    assert.equal(here(cache).hit, null)
    assert.equal(await cache.purge(EVERYTHING, newId()), 0)
    assert.deepEqual([cache.report().entries, cache.report().bytes], [0, 0])
  })

  test('does not store what was asked for before a purge that means it', async () => {
    const scopes = [EVERYTHING, SCOPE, { ...SCOPE, model: null }, { ...SCOPE, projectId: null }]
    for (const scope of scopes) {
      const cache = inMemory()
      const before = here(cache).fill
      assert.equal(cache.store(KEY, storedAnswer(), before), true)
      const purging = cache.purge(scope, newId())
      const during = here(cache)
      assert.equal(during.hit, null, 'gone at once')
      assert.equal(cache.store(KEY, storedAnswer(), before), false)
      assert.equal(cache.store(cacheKey('two'), storedAnswer(), during.fill), true)
      assert.equal(await purging, 1)
      assert.equal(cache.store(KEY, storedAnswer(), before), false)
      assert.equal(here(cache).hit, null)
      assert.notEqual(here(cache, cacheKey('two')).hit, null)
    }
    const cache = inMemory()
    const before = here(cache).fill
    for (const scope of [
      { projectId: 'project-2', model: null },
      { projectId: null, model: 'slow' },
      { projectId: 'project-2', model: 'fast' },
    ])
      await cache.purge(scope, newId())
    assert.equal(cache.store(KEY, storedAnswer(), before), true, 'these meant others')
  })

  test('tells apart as many scopes as it can bear, then none', async () => {
    const cache = inMemory(0)
    const before = here(cache).fill
    for (let i = 0; i < 10_000; i++) await cache.purge({ projectId: `other-${i}`, model: null }, newId())
    assert.equal(cache.store(KEY, storedAnswer(), before), true)
    const later = here(cache).fill
    await cache.purge({ projectId: 'one-more', model: null }, newId())
    assert.equal(cache.store(KEY, storedAnswer(), later), false, 'rather one too many')
    assert.equal(cache.store(KEY, storedAnswer(), here(cache).fill), true)
  })
})

/** A shared tier that answers when it is told to. */
class HeldStore implements SharedStore {
  readonly ready = true
  readonly unreadable = 0
  readonly skipped = 0
  readonly looks: ((look: SharedLook) => void)[] = []
  away = false

  look(): Promise<SharedLook> {
    return new Promise((resolve) => this.looks.push(resolve))
  }
  async mark(): Promise<string> {
    return 'mark'
  }
  set(): void {}
  async purge(): Promise<number> {
    if (this.away) throw new Error('it is away')
    return 0
  }
}

suite('the answer cache with a slow shared tier', () => {
  test('gives nobody what was read before a purge, and reads anew for who comes after it', async () => {
    const shared = new HeldStore()
    const cache = new AnswerCache(new MemoryRoom(MIB), shared)
    const answer = storedAnswer()
    const before = cache.look(KEY, SCOPE)
    const purged = await cache.purge(SCOPE, newId())
    const since = cache.look(KEY, SCOPE)
    assert.equal(shared.looks.length, 2)
    shared.looks[0]!({ answer, mark: 'before' })
    const found = await before
    assert.deepEqual([found.hit, found.fill.mark, purged], [null, 'before', 0])
    assert.equal(cache.report().entries, 0)
    assert.equal(cache.store(KEY, answer, found.fill), false)
    shared.looks[1]!({ answer, mark: 'since' })
    assert.deepEqual((await since).hit, { answer, tier: 'SHARED' })
  })

  test('is told of everything in place of what it was not told of before', async () => {
    const shared = new HeldStore()
    const cache = new AnswerCache(new MemoryRoom(0), shared)
    const found = async (): Promise<boolean> => {
      const looking = cache.look(KEY, SCOPE)
      shared.looks.at(-1)!({ answer: storedAnswer(), mark: '' })
      return (await looking).hit !== null
    }
    shared.away = true
    const id = newId()
    await assert.rejects(cache.purge(SCOPE, newId()), /away/)
    assert.equal(await found(), false)
    await assert.rejects(cache.purge(EVERYTHING, id), /away/)
    shared.away = false
    assert.equal(await found(), false)
    await cache.purge(EVERYTHING, id)
    assert.equal(await found(), true)
  })

  test('lets those wait for one reading who want to know the same', async () => {
    const shared = new HeldStore()
    const cache = new AnswerCache(new MemoryRoom(0), shared)
    const looks = [cache.look(KEY, SCOPE), cache.look(KEY, SCOPE, 60_000), cache.look(cacheKey('two'), SCOPE)]
    assert.equal(shared.looks.length, 2)
    for (const done of shared.looks) done({ answer: storedAnswer(), mark: '' })
    for (const look of looks) assert.equal((await look).hit?.tier, 'SHARED')
    const next = cache.look(KEY, SCOPE)
    assert.equal(shared.looks.length, 3)
    shared.looks[2]!({ answer: null, mark: '' })
    assert.equal((await next).hit, null)
  })
})
