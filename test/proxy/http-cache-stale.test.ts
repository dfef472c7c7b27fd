/** Stored answers whose time is over: asked about, confirmed, replaced, or given where the provider fails. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { DEFAULT_BREAKER } from '@millrace/shared'

import { raw } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { refuse } from '../helpers/upstream/failures.ts'
import { CachedPages, DATE, FRESH, said, STALE } from './passthrough/cached-pages.ts'
import { startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
let pages: CachedPages

before(async () => {
  passing = await startPassing()
  pages = new CachedPages(passing)
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

describe('an answer whose time is over', () => {
  for (const [name, validator, sent] of [
    ['a strong tag', { etag: '"v"' }, { 'if-none-match': '"v"' }],
    ['a weak tag', { etag: 'W/"v"' }, { 'if-none-match': 'W/"v"' }],
    ['a date', { 'last-modified': DATE }, { 'if-modified-since': DATE }],
    ['both', { etag: '"v"', 'last-modified': DATE }, { 'if-none-match': '"v"', 'if-modified-since': DATE }],
  ] as const) {
    test(`is asked about by ${name}, and given once it is confirmed`, async () => {
      const path = pages.validated(
        validator,
        { ...STALE, 'x-kept': 'old', 'x-new': 'old' },
        { 'x-new': 'new', age: '3' },
      )
      await pages.ask(path)
      const confirmed = await pages.ask(path)
      assert.deepEqual([confirmed.status, confirmed.text], [200, 'page 1'])
      assert.match(String(confirmed.headers['cache-status']), /^Millrace; fwd=stale; fwd-status=304; ttl=5\d$/)
      assert.equal(confirmed.headers['x-cache'], 'HIT')
      assert.equal(confirmed.headers['x-kept'], 'old')
      assert.equal(confirmed.headers['x-new'], 'new')
      assert.equal(confirmed.headers['content-type'], 'text/plain')
      assert.ok(Number(confirmed.headers['age']) < 30)
      const seen = passing.asked(path)[1]!
      assert.equal(seen.headers['if-none-match'], (sent as Record<string, string>)['if-none-match'])
      assert.equal(seen.headers['if-modified-since'], (sent as Record<string, string>)['if-modified-since'])
      // It is fresh again, by what the provider has said.
      const hit = await pages.ask(path)
      assert.match(String(hit.headers['cache-status']), /^Millrace; hit/)
      assert.equal(hit.headers['x-new'], 'new')
      assert.equal(pages.calls(path), 2)
      const record = await passing.guarded.record(confirmed)
      assert.deepEqual([record.cache, record.billed, record.attempts.length], ['HIT', false, 1])
      assert.equal(record.attempts[0]!.upstreamStatus, 304)
    })
  }

  test('is confirmed by a 304 that names no tag', async () => {
    const whole = raw('whole', { headers: { ...STALE, etag: '"v"' } })
    const path = pages.add(behaviours.inTurn(whole, raw('', { status: 304, headers: { 'cache-control': FRESH } })))
    await pages.ask(path)
    assert.equal((await pages.ask(path)).text, 'whole')
    assert.equal((await pages.ask(path)).headers['x-cache'], 'HIT')
  })

  test('is not, by one that names another', async () => {
    const whole = (text: string) => raw(text, { headers: { ...STALE, etag: '"v"' } })
    const path = pages.add(
      behaviours.inTurn(whole('old'), raw('', { status: 304, headers: { etag: '"w"' } }), whole('new')),
    )
    await pages.ask(path)
    const answer = await pages.ask(path)
    assert.deepEqual([answer.status, answer.text], [200, 'new'])
    assert.equal(passing.asked(path)[2]!.headers['if-none-match'], undefined)
  })

  test('is not, by one that names a tag where it has none', async () => {
    const old = raw('old', { headers: { ...STALE, 'last-modified': DATE } })
    const other = raw('', { status: 304, headers: { etag: '"w"', 'cache-control': FRESH } })
    const path = pages.add(behaviours.inTurn(old, other, raw('new', {})))
    await pages.ask(path)
    assert.equal((await pages.ask(path)).text, 'new')
  })

  for (const [what, headers] of [
    ['may not be stored', { 'cache-control': 'no-store' }],
    ['nothing is said of', {}],
  ] as const) {
    test(`makes room for another that ${what}`, async () => {
      const path = pages.add(
        behaviours.inTurn(raw('old', { headers: { 'cache-control': FRESH } }), raw('new', { headers })),
      )
      await pages.ask(path)
      assert.equal((await pages.ask(path, { 'cache-control': 'no-cache' })).text, 'new')
      assert.equal((await pages.ask(path)).text, 'new')
    })
  }

  test('makes room for another that a HEAD tells of', async () => {
    const tagged = (etag: string) => raw('x', { headers: { 'cache-control': FRESH, etag } })
    const path = pages.add(behaviours.inTurn(tagged('"old"'), tagged('"new"')))
    await pages.ask(path)
    await pages.ask(path, { 'cache-control': 'no-cache' }, { method: 'HEAD' })
    assert.equal((await pages.ask(path)).headers['etag'], '"new"')
  })

  test('makes room for another', async () => {
    const old = raw('old', { headers: { ...STALE, etag: '"old"' } })
    const path = pages.add(behaviours.inTurn(old, raw('new', { headers: { 'cache-control': FRESH, etag: '"new"' } })))
    await pages.ask(path)
    const answer = await pages.ask(path)
    assert.equal(answer.text, 'new')
    assert.deepEqual(said(answer), ['MISS', 'Millrace; fwd=stale; fwd-status=200; stored'])
    assert.equal((await pages.ask(path)).text, 'new')
    assert.equal(pages.calls(path), 2)
  })

  test('is asked about, whatever the client has; the client is told by what holds then', async () => {
    const path = pages.validated({ etag: '"v"' }, STALE)
    await pages.ask(path)
    const has = await pages.ask(path, { 'if-none-match': '"v"' })
    assert.equal(has.status, 304)
    assert.equal(passing.asked(path)[1]!.headers['if-none-match'], '"v"')
    const another = pages.validated({ etag: '"v"' }, STALE)
    await pages.ask(another)
    const other = await pages.ask(another, { 'if-none-match': '"other"', 'if-modified-since': DATE })
    assert.deepEqual([other.status, other.text], [200, 'page 1'])
    assert.equal(passing.asked(another)[1]!.headers['if-none-match'], '"v"')
    assert.equal(passing.asked(another)[1]!.headers['if-modified-since'], undefined)
  })

  test('is confirmed by a HEAD, too', async () => {
    const path = pages.validated({ etag: '"v"' }, STALE)
    await pages.ask(path)
    const head = await pages.ask(path, {}, { method: 'HEAD' })
    assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '6'])
    assert.equal((await pages.ask(path)).text, 'page 1')
    assert.deepEqual(
      passing.asked(path).map(({ method }) => method),
      ['GET', 'HEAD'],
    )
  })

  test('where nothing is stored, a client asks by what it has itself', async () => {
    const path = pages.validated({ etag: '"v"' }, { 'cache-control': FRESH })
    const answer = await pages.ask(path, { 'if-none-match': '"v"' })
    assert.deepEqual([answer.status, answer.headers['x-cache']], [304, 'MISS'])
    assert.equal((await pages.ask(path)).text, 'page 1')
  })

  test('is gone with a 404', async () => {
    const allows = { 'cache-control': 'public, max-age=60, stale-if-error=600', age: '100', etag: '"v"' }
    const path = pages.add(behaviours.inTurn(raw('x', { headers: allows }), refuse(404), refuse(503)))
    await pages.ask(path)
    assert.equal((await pages.ask(path)).status, 404)
    assert.equal((await pages.ask(path)).status, 503)
  })
})

describe('a provider that fails', () => {
  const ALLOWED = { 'cache-control': 'public, max-age=60, stale-if-error=600', age: '100' }

  for (const [name, failure] of [
    ['503', refuse(503)],
    ['500', refuse(500)],
    ['a reset connection', behaviours.reset()],
  ] as const) {
    test(`with ${name}: what is stored stands in, if it may`, async () => {
      const path = pages.add(behaviours.inTurn(raw('stored', { headers: { ...ALLOWED, etag: '"v"' } }), failure))
      await pages.ask(path)
      const answer = await pages.ask(path)
      assert.deepEqual([answer.status, answer.text, answer.headers['x-cache']], [200, 'stored', 'HIT'])
      assert.match(String(answer.headers['cache-status']), /^Millrace; fwd=stale;.* detail=stale-if-error; ttl=-\d+$/)
      assert.ok(Number(answer.headers['age']) >= 100)
      const record = await passing.guarded.record(answer)
      assert.deepEqual([record.status, record.cache], ['SUCCESS', 'HIT'])
      assert.ok(record.attempts.length > 0 && record.attempts.every(({ errorClass }) => errorClass !== null))
      const fresh = await pages.ask(path, { 'cache-control': 'no-cache' })
      assert.ok(fresh.status >= 500, 'not for who wants no stored answer')
    })
  }

  test('is told of to who asks anew, where nothing lets a stored answer stand in', async () => {
    const path = pages.add(behaviours.inTurn(raw('stored', { headers: { 'cache-control': FRESH } }), refuse(503)))
    await pages.ask(path)
    const answer = await pages.ask(path, { 'cache-control': 'max-age=0' })
    assert.deepEqual([answer.status, answer.headers['cache-status']], [503, 'Millrace; fwd=request; fwd-status=503'])
    assert.equal((await pages.ask(path)).text, 'stored')
  })

  for (const [why, headers] of [
    ['it may not', { ...STALE, etag: '"v"' }],
    [
      'its time for that is over, too',
      { 'cache-control': 'public, max-age=60, stale-if-error=10', age: '100', etag: '"v"' },
    ],
    [
      'it must be asked for',
      { 'cache-control': 'max-age=60, must-revalidate, stale-if-error=600', age: '100', etag: '"v"' },
    ],
    ['s-maxage', { 'cache-control': 's-maxage=60, stale-if-error=600', age: '100', etag: '"v"' }],
  ] as const) {
    test(`is told of where ${why}`, async () => {
      const path = pages.add(behaviours.inTurn(raw('stored', { headers }), refuse(503)))
      await pages.ask(path)
      assert.equal((await pages.ask(path)).status, 503)
    })
  }

  test('so that it is not asked: what is stored stands in, too', async () => {
    const { guarded } = passing
    passing.provider('broken', ['/v1/broken/*'], {
      breaker: { ...DEFAULT_BREAKER, consecutiveFailures: 1, openSeconds: 60 },
    })
    await guarded.serve()
    const stored = raw('stored', { headers: { ...ALLOWED, etag: '"v"' } })
    passing.page('/v1/broken/x', behaviours.inTurn(stored, refuse(503)))
    assert.equal((await pages.ask('/v1/broken/x')).status, 200)
    const inPlace = []
    for (let i = 0; i < 3; i++) inPlace.push(await pages.ask('/v1/broken/x'))
    for (const { status, text } of inPlace) assert.deepEqual([status, text], [200, 'stored'])
    const other = await pages.ask('/v1/broken/x', { 'cache-control': 'no-cache' })
    assert.ok(other.status >= 500)
  })

  test('by a refusal is told of', async () => {
    const path = pages.add(behaviours.inTurn(raw('stored', { headers: { ...ALLOWED, etag: '"v"' } }), refuse(422)))
    await pages.ask(path)
    const answer = await pages.ask(path)
    assert.equal(answer.status, 422)
    assert.deepEqual(said(answer), ['MISS', 'Millrace; fwd=stale; fwd-status=422'])
  })
})
