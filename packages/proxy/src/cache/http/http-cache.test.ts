import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { UpstreamHeaders } from '../../upstream/call.ts'
import { isPurged } from '../answer.ts'
import { MemoryRoom } from '../memory-tier.ts'
import { Purges } from '../purges.ts'
import { HttpCache, responseKey, type ResponseKey } from './http-cache.ts'
import type { Fields } from './policy.ts'

const origin = { projectId: 'p', model: null, providerId: 'o', providerName: 'o', providerModel: '' }
const FRESH = { 'cache-control': 'public, max-age=60', etag: '"a"' }

function keyOf(over: { origin?: object; account?: string; address?: string; target?: string; sent?: Fields } = {}) {
  const { account = 'shared', address = 'http://a/v1/x', target = '?q', sent = {} } = over
  return responseKey({ ...origin, ...over.origin }, account, address, target, sent)
}

class Fixture {
  readonly room: MemoryRoom
  readonly purges = new Purges()
  readonly cache: HttpCache

  constructor(bytes = 1_000_000) {
    this.room = new MemoryRoom(bytes)
    this.cache = new HttpCache(this.room, this.purges)
  }

  /** @returns whether it was stored */
  store(key: ResponseKey, body: string, headers: UpstreamHeaders = FRESH, purges = this.purges.count): boolean {
    const fill = this.cache.fill(key, 200, headers, Date.now(), purges)
    fill?.add(body.slice(0, 1))
    fill?.add(body.slice(1))
    return fill?.end() ?? false
  }

  bodyAt(key: ResponseKey): string | null {
    return this.cache.find(key)?.body ?? null
  }

  /** As a purge is carried out. */
  async purge(scope: { projectId: string | null; model: string | null }): Promise<number> {
    this.purges.add(scope)
    return this.room.purge((kept) => isPurged(scope, { projectId: kept.projectId, model: kept.model ?? '' }))
  }
}

describe('HttpCache', () => {
  it('keeps apart whatever an answer depends on', () => {
    const fixture = new Fixture()
    const keys = [
      keyOf(),
      keyOf({ origin: { projectId: 'q' } }),
      keyOf({ origin: { providerId: 'other' } }),
      keyOf({ account: 'project' }),
      keyOf({ address: 'http://b/v1/x' }),
      keyOf({ target: '' }),
      // Nothing of one can be taken for something of another.
      keyOf({ address: 'http://a/v1/', target: 'x?q' }),
    ]
    keys.forEach((key, i) => assert.ok(fixture.store(key, `body ${i}`)))
    keys.forEach((key, i) => assert.equal(fixture.bodyAt(key), `body ${i}`))
  })

  it('has what was there before a provider says by what its answers vary, only for those that are alike', () => {
    const fixture = new Fixture()
    const german = keyOf({ sent: { 'accept-language': 'de' } })
    const french = keyOf({ sent: { 'accept-language': 'fr' } })
    const vary = { ...FRESH, vary: 'Accept-Language' }
    assert.ok(fixture.store(german, 'plain'))
    assert.equal(fixture.bodyAt(french), 'plain')
    assert.ok(fixture.store(german, 'deutsch', vary))
    assert.equal(fixture.bodyAt(french), null)
    assert.equal(fixture.room.entries, 2, 'the answer, and by what it varies: nothing of before is left')
    assert.ok(fixture.store(french, 'français', vary))
    assert.equal(fixture.bodyAt(german), 'deutsch')
    assert.equal(fixture.bodyAt(french), 'français')
    // A header that is absent is not one that is empty.
    assert.equal(fixture.bodyAt(keyOf()), null)
    assert.ok(fixture.store(keyOf(), 'none', vary))
    assert.equal(fixture.bodyAt(keyOf({ sent: { 'accept-language': '' } })), null)
    assert.ok(fixture.store(german, 'plain again'))
    assert.equal(fixture.bodyAt(french), 'plain again')
  })

  it('does not keep what is too large, told or not', () => {
    const fixture = new Fixture(80_000)
    const large = 'x'.repeat(10_001)
    assert.equal(fixture.cache.fill(keyOf(), 200, { ...FRESH, 'content-length': '10001' }, 0, 0), null)
    assert.equal(fixture.store(keyOf(), large), false)
    assert.equal(fixture.bodyAt(keyOf()), null)
    assert.equal(fixture.room.entries, 0)
    for (const tooLarge of [large, 'x'.repeat(9_999)]) {
      assert.ok(fixture.store(keyOf(), 'before'))
      assert.equal(fixture.store(keyOf(), tooLarge), false)
      assert.equal(fixture.bodyAt(keyOf()), null, 'what it replaces is gone all the same')
    }
    assert.equal(new Fixture(0).cache.enabled, false)
  })

  it('stays within its bytes', () => {
    const fixture = new Fixture(100_000)
    for (let i = 0; i < 1_000; i++)
      fixture.store(keyOf({ target: String(i) }), 'x'.repeat(1_000), { ...FRESH, vary: 'a' })
    assert.ok(fixture.room.bytes <= 100_000)
    assert.ok(fixture.room.entries > 0)
  })

  it('holds no more of what is on its way than there is room for', () => {
    const fixture = new Fixture(1_001_000)
    const begin = (i: number) => fixture.cache.fill(keyOf({ target: String(i) }), 200, FRESH, Date.now(), 0)!
    const fills = Array.from({ length: 10 }, (_, i) => begin(i))
    for (const fill of fills) fill.add('x'.repeat(100_000))
    assert.equal(fills.filter((fill) => fill.end()).length, 5)
    const abandoned = Array.from({ length: 10 }, (_, i) => begin(i))
    for (const fill of abandoned) fill.add('x'.repeat(100_000))
    for (const fill of abandoned) fill.drop()
    const last = begin(99)
    last.add('x'.repeat(100_000))
    assert.equal(last.end(), true)
    last.drop()
    assert.equal(last.end(), false)
  })

  it('counts what bytes take that come one by one', () => {
    const fixture = new Fixture(1_000_000)
    const fill = fixture.cache.fill(keyOf(), 200, FRESH, Date.now(), 0)!
    let taken = 0
    while (fill.add('x')) taken++
    assert.ok(taken > 10_000 && taken < 100_000, `${taken}`)
    assert.equal(fill.add('x'), false)
    assert.equal(fill.end(), false)
    assert.ok(fixture.store(keyOf(), 'y'.repeat(100_000)), 'nothing of it is held any more')
  })

  it('counts what headers take', () => {
    const fixture = new Fixture()
    fixture.store(keyOf(), 'x')
    const bare = fixture.room.bytes
    fixture.store(keyOf(), 'x', { ...FRESH, 'x-long': 'y'.repeat(5_000) })
    assert.ok(fixture.room.bytes - bare >= 5_000)
  })

  it('forgets what a purge means, and does not take what was asked for before it', async () => {
    for (const [scope, gone] of [
      [{ projectId: null, model: null }, true],
      [{ projectId: 'p', model: null }, true],
      [{ projectId: null, model: 'm' }, true],
      [{ projectId: 'p', model: 'm' }, true],
      [{ projectId: 'q', model: null }, false],
      [{ projectId: null, model: 'n' }, false],
    ] as const) {
      const fixture = new Fixture()
      const key = keyOf({ origin: { model: 'm' } })
      fixture.store(key, 'x')
      const before = fixture.purges.count
      await fixture.purge(scope)
      assert.equal(fixture.bodyAt(key), gone ? null : 'x', JSON.stringify(scope))
      assert.equal(fixture.store(key, 'y', FRESH, before), !gone)
      assert.equal(fixture.store(key, 'z'), true)
    }
  })

  it('does not keep what is confirmed after a purge', async () => {
    const fixture = new Fixture()
    fixture.store(keyOf(), 'x')
    const stored = fixture.cache.find(keyOf())!
    const before = fixture.purges.count
    await fixture.purge({ projectId: 'p', model: null })
    assert.equal(fixture.cache.confirm(keyOf(), stored, {}, Date.now(), before)?.body, 'x')
    assert.equal(fixture.bodyAt(keyOf()), null)
  })

  it('gives what is confirmed the headers that confirm it, but for those of the body', () => {
    const fixture = new Fixture()
    fixture.store(keyOf(), 'body', { ...FRESH, age: '50', 'content-type': 'text/a', 'x-old': '1', 'set-x': '1' })
    const confirming = {
      'cache-control': 'public, max-age=600',
      'content-type': 'text/b',
      'content-length': '0',
      'x-old': '2',
      'x-new': ['3', '4'],
      connection: 'x-hop',
      'x-hop': 'h',
    }
    const confirmed = fixture.cache.confirm(keyOf(), fixture.cache.find(keyOf())!, confirming, Date.now(), 0)!
    assert.deepEqual(confirmed.headers, {
      ...FRESH,
      'cache-control': 'public, max-age=600',
      'content-type': 'text/a',
      'x-old': '2',
      'x-new': ['3', '4'],
      'set-x': '1',
    })
    assert.equal(confirmed.policy.age, 0)
    assert.ok(confirmed.policy.freshFor > 590)
    assert.equal(fixture.cache.find(keyOf()), confirmed)
  })

  it('gives up what a confirmation says may not be stored', () => {
    for (const headers of [{ 'cache-control': 'no-store' }, { vary: '*' }, { 'set-cookie': ['a=b'] }]) {
      const fixture = new Fixture()
      fixture.store(keyOf(), 'x')
      assert.equal(fixture.cache.confirm(keyOf(), fixture.cache.find(keyOf())!, headers, Date.now(), 0), null)
      assert.equal(fixture.bodyAt(keyOf()), null)
    }
  })
})
