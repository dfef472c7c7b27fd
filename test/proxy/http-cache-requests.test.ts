/** Which requests are given an answer that is stored: whose, of what kind, and as they want it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { raw } from '../helpers/upstream/answers.ts'
import { bearer } from './access/guarded.ts'
import { CachedPages, FRESH, said } from './passthrough/cached-pages.ts'
import { credential, startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
let pages: CachedPages

before(async () => {
  passing = await startPassing()
  pages = new CachedPages(passing)
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

describe('whose it is', () => {
  test("one project's, whatever key they share", async () => {
    const { guarded } = passing
    const sibling = guarded.addToken(null)
    const stranger = guarded.addTokenOfOwnProject()
    await guarded.serve()
    const path = pages.counting({ 'cache-control': FRESH })
    assert.equal((await pages.ask(path)).text, 'page 1')
    const other = await pages.ask(path, bearer(stranger))
    assert.deepEqual([other.text, other.headers['x-cache']], ['page 2', 'MISS'])
    assert.equal((await pages.ask(path, bearer(sibling))).text, 'page 1')
    assert.equal((await pages.ask(path, bearer(stranger))).text, 'page 2')
    const head = await pages.ask(path, { ...bearer(stranger), 'cache-control': 'only-if-cached' }, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(pages.calls(path), 2)
  })

  test('one account’s, at one address', async () => {
    const { guarded } = passing
    const base = guarded.upstream.baseUrl
    passing.provider('moving', ['/v1/moving/*'], { credentials: [credential('SHARED_API_KEY')] })
    await guarded.serve()
    passing.text('/v1/moving/x', 'before', { 'cache-control': FRESH })
    passing.text('/v1/new/moving/x', 'elsewhere', { 'cache-control': FRESH })
    await pages.ask('/v1/moving/x')
    assert.equal((await pages.ask('/v1/moving/x')).headers['x-cache'], 'HIT')
    passing.changeProvider('moving', { credentials: [credential('SECOND_API_KEY')] })
    await guarded.serve()
    assert.equal((await pages.ask('/v1/moving/x')).headers['x-cache'], 'MISS')
    passing.changeProvider('moving', { credentials: [credential('SECOND_API_KEY', guarded.projectId)] })
    await guarded.serve()
    assert.equal((await pages.ask('/v1/moving/x')).headers['x-cache'], 'MISS')
    passing.changeProvider('moving', { baseUrl: `${base}/new` })
    await guarded.serve()
    assert.equal((await pages.ask('/v1/moving/x')).text, 'elsewhere')
  })

  test("nobody's who brings a key", async () => {
    const token = passing.guarded.addToken({ ownKeys: true })
    await passing.guarded.serve()
    const path = pages.counting({ 'cache-control': FRESH })
    await pages.ask(path)
    const own = { ...bearer(token), 'x-millrace-upstream-key': 'sk-mine', 'x-millrace-provider': 'own-provider' }
    for (const text of ['page 2', 'page 3']) {
      const answer = await pages.ask(path, own)
      assert.deepEqual([answer.text, answer.headers['x-cache']], [text, 'BYPASS'])
    }
    assert.equal((await pages.ask(path)).text, 'page 1')
  })

  test('not given to who may not ask', async () => {
    const { guarded } = passing
    const shut = guarded.addToken({ endpoints: ['/v1/audio/*'] })
    await guarded.serve()
    const path = pages.counting({ 'cache-control': FRESH })
    await pages.ask(path)
    assert.equal((await pages.ask(path, bearer(shut))).status, 404)
    guarded.changeToken(shut.id, { revoked: true, access: null })
    await guarded.serve()
    assert.equal((await pages.ask(path, bearer(shut))).status, 401)
  })
})

describe('an answer that varies', () => {
  test('is given to requests that are alike in that', async () => {
    const path = pages.add((exchange) => {
      const language = String(exchange.seen.headers['accept-language'] ?? 'none')
      const headers = { 'cache-control': FRESH, vary: 'Accept-Language, X-Other' }
      return raw(`in ${language}`, { headers })(exchange)
    })
    const languages = [{ 'accept-language': 'de' }, { 'accept-language': 'fr' }, {}]
    for (const headers of languages) await pages.ask(path, headers)
    assert.equal(pages.calls(path), 3)
    for (const headers of languages) {
      const answer = await pages.ask(path, { ...headers, 'x-unlisted': String(Math.random()) })
      assert.deepEqual([answer.text, answer.headers['x-cache']], [`in ${headers['accept-language'] ?? 'none'}`, 'HIT'])
    }
    assert.equal((await pages.ask(path, { 'accept-language': 'de', 'x-other': 'y' })).headers['x-cache'], 'MISS')
    assert.equal((await pages.ask(path, { 'accept-language': 'de' })).headers['x-cache'], 'HIT')
  })

  test('by what the provider never sees does not', async () => {
    const path = pages.counting({ 'cache-control': FRESH, vary: 'cookie, origin' })
    await pages.ask(path, { cookie: 'a=b', origin: 'https://a.example' })
    assert.equal((await pages.ask(path, { cookie: 'c=d', origin: 'https://b.example' })).headers['x-cache'], 'HIT')
    assert.equal(passing.asked(path)[0]!.headers['cookie'], undefined)
  })

  test('by the encoding does not: no client asks for one', async () => {
    const path = pages.counting({ 'cache-control': FRESH, vary: 'accept-encoding' })
    await pages.ask(path, { 'accept-encoding': 'br' })
    assert.equal((await pages.ask(path, { 'accept-encoding': 'gzip' })).headers['x-cache'], 'HIT')
  })
})

describe('what a request says of caches', () => {
  test('no-store: it is not looked at, nor stored', async () => {
    const path = pages.counting({ 'cache-control': FRESH })
    const first = await pages.ask(path, { 'cache-control': 'no-store' })
    assert.equal(first.headers['x-cache'], 'BYPASS')
    assert.equal(passing.asked(path)[0]!.headers['cache-control'], undefined)
    assert.equal((await pages.ask(path)).headers['x-cache'], 'MISS')
    assert.equal((await pages.ask(path, { 'cache-control': 'No-Store' })).text, 'page 3')
    assert.equal((await pages.ask(path)).text, 'page 2')
  })

  for (const headers of [
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'max-age=0' },
    { 'cache-control': 'min-fresh=100' },
    { pragma: 'no-cache' },
  ] as Record<string, string>[]) {
    test(`${JSON.stringify(headers)}: the provider is asked, and what it says is stored`, async () => {
      const path = pages.counting({ 'cache-control': FRESH, age: '1' })
      await pages.ask(path)
      const answer = await pages.ask(path, headers)
      assert.equal(answer.text, 'page 2')
      assert.deepEqual(said(answer), ['MISS', 'Millrace; fwd=request; fwd-status=200; stored'])
      assert.equal((await pages.ask(path)).text, 'page 2')
    })
  }

  test('max-age, max-stale: how old it may be', async () => {
    const path = pages.counting({ 'cache-control': FRESH, age: '50', etag: '"x"' })
    await pages.ask(path)
    assert.equal((await pages.ask(path, { 'cache-control': 'max-age=59' })).headers['x-cache'], 'HIT')
    const stale = pages.counting({ 'cache-control': FRESH, age: '70', etag: '"x"' })
    await pages.ask(stale)
    assert.equal((await pages.ask(stale, { 'cache-control': 'max-stale=50' })).text, 'page 1')
    assert.equal((await pages.ask(stale, { 'cache-control': 'max-stale' })).text, 'page 1')
    assert.equal((await pages.ask(stale, { 'cache-control': 'max-stale=1' })).text, 'page 2')
    const strict = pages.counting({ 'cache-control': 's-maxage=60', age: '70', etag: '"x"' })
    await pages.ask(strict)
    assert.equal((await pages.ask(strict, { 'cache-control': 'max-stale' })).text, 'page 2')
  })

  test('only-if-cached: nobody is asked', async () => {
    const path = pages.counting({ 'cache-control': FRESH })
    const only = { 'cache-control': 'only-if-cached' }
    const refused = await pages.ask(path, only)
    assert.equal(refused.status, 504)
    assert.equal((JSON.parse(refused.text) as { error: { code: string } }).error.code, 'not_cached')
    assert.equal(pages.calls(path), 0)
    const record = await passing.guarded.record(refused)
    assert.deepEqual([record.status, record.errorClass, record.attempts], ['REJECTED', 'not_cached', []])
    await pages.ask(path)
    assert.equal((await pages.ask(path, only)).text, 'page 1')
    assert.equal((await pages.ask(path, { 'cache-control': 'only-if-cached, no-cache' })).status, 504)
    assert.equal((await pages.ask(path, { 'cache-control': 'only-if-cached, no-store' })).status, 504)
    assert.equal(pages.calls(path), 1)
  })
})

test('without memory for it there is no cache', async () => {
  await using none = await startPassing({ MILLRACE_CACHE_BYTES: '0' })
  await none.guarded.serve()
  none.text('/v1/images/x', 'x', { 'cache-control': FRESH })
  for (let i = 1; i <= 2; i++) {
    assert.equal((await none.ask('/v1/images/x')).headers['x-cache'], 'BYPASS')
    assert.equal(none.asked('/v1/images/x').length, i)
  }
})
