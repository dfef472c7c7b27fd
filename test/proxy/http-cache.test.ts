/** Answers to passed-through GETs, kept as RFC 9111 lets a shared cache keep them: which, and how they are given. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { newId } from '@millrace/shared'

import { send } from '../helpers/http.ts'
import { startLoneProxy } from '../helpers/lone-proxy.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import type { Exchange } from '../helpers/upstream/exchange.ts'
import { waitFor } from '../helpers/wait.ts'
import { CachedPages, DATE, FRESH, said } from './passthrough/cached-pages.ts'
import { startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
let pages: CachedPages

before(async () => {
  passing = await startPassing()
  pages = new CachedPages(passing)
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

describe('a stored answer', () => {
  test('is given again as it came, without asking', async () => {
    const bytes = Buffer.from([0, 255, 0xc3, 0x28, 10, 13])
    const headers = {
      'content-type': 'image/png',
      'cache-control': FRESH,
      etag: '"x"',
      'x-custom': 'kept',
      'x-request-id': 'req_theirs',
      age: '7',
    }
    const path = pages.add(raw(bytes, { headers }))
    const first = await pages.ask(`${path}?a=1`)
    assert.deepEqual(said(first), ['MISS', 'Millrace; fwd=uri-miss; fwd-status=200; stored'])
    const second = await pages.ask(`${path}?a=1`)
    assert.equal(pages.calls(path), 1)
    assert.equal(second.status, 200)
    assert.deepEqual(second.body, bytes)
    assert.equal(second.headers['x-cache'], 'HIT')
    assert.match(String(second.headers['cache-status']), /^Millrace; hit; ttl=(4\d|5[0-3])$/)
    const age = Number(second.headers['age'])
    assert.ok(age >= 7 && age < 30, `${age}`)
    for (const name of ['content-type', 'content-length', 'cache-control', 'etag', 'x-custom'])
      assert.equal(second.headers[name], first.headers[name], name)
    assert.equal(second.headers['x-millrace-upstream-request-id'], 'req_theirs')
    assert.equal(second.headers['x-millrace-provider'], 'own-provider')
    assert.equal(second.headers['x-millrace-attempts'], '0')
    assert.notEqual(second.headers['x-millrace-id'], first.headers['x-millrace-id'])

    const [miss, hit] = await Promise.all([passing.guarded.record(first), passing.guarded.record(second)])
    assert.deepEqual([miss.cache, miss.cacheTier, miss.billed, miss.attempts.length], ['MISS', null, true, 1])
    assert.deepEqual([hit.cache, hit.cacheTier, hit.billed, hit.attempts.length], ['HIT', 'MEMORY', false, 0])
    assert.deepEqual([hit.providerId, hit.status, hit.counted], [miss.providerId, 'SUCCESS', true])
    assert.equal(hit.decision ?? null, null)
  })

  test('tells when it was made, so that others reckon its time as it is', async () => {
    const date = new Date(Date.now() - 30_000).toUTCString()
    const expires = new Date(Date.now() + 60_000).toUTCString()
    const path = pages.add(raw('x', { headers: { 'cache-control': 'public', etag: '"d"', age: '30', date, expires } }))
    const answers = [await pages.ask(path), await pages.ask(path), await pages.ask(path, { 'if-none-match': '"d"' })]
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['x-cache'], headers['date'], headers['expires']]),
      [
        [200, 'MISS', date, expires],
        [200, 'HIT', date, expires],
        [304, 'HIT', date, expires],
      ],
    )
  })

  test('is of one target', async () => {
    const path = pages.counting({ 'cache-control': FRESH })
    assert.equal((await pages.ask(`${path}?a`)).text, 'page 1')
    assert.equal((await pages.ask(`${path}?b`)).text, 'page 2')
    assert.equal((await pages.ask(path)).text, 'page 3')
    assert.equal((await pages.ask(`${path}?a`)).text, 'page 1')
  })

  test('answers a HEAD; a HEAD stores nothing', async () => {
    const path = pages.counting({ 'cache-control': FRESH, etag: '"h"' })
    await pages.ask(path, {}, { method: 'HEAD' })
    assert.equal((await pages.ask(path)).headers['x-cache'], 'MISS')
    const head = await pages.ask(path, {}, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
    assert.equal(head.headers['content-length'], '6')
    assert.equal(head.headers['x-cache'], 'HIT')
    assert.equal(pages.calls(path), 2)
  })

  test('goes without a body to who has it', async () => {
    const path = pages.counting({
      'cache-control': FRESH,
      etag: '"v1"',
      'last-modified': DATE,
      vary: 'accept-language',
    })
    await pages.ask(path)
    for (const headers of [
      { 'if-none-match': '"v1"' },
      { 'if-none-match': 'W/"v1"' },
      { 'if-none-match': '"v0", "v1"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': DATE },
      { 'if-modified-since': 'Wed, 02 Sep 2026 10:00:00 GMT' },
    ]) {
      const answer = await pages.ask(path, headers)
      assert.equal(answer.status, 304, JSON.stringify(headers))
      assert.equal(answer.text, '')
      assert.equal(answer.headers['x-cache'], 'HIT')
      assert.equal(answer.headers['etag'], '"v1"')
      assert.equal(answer.headers['cache-control'], FRESH)
      assert.equal(answer.headers['vary'], 'accept-language')
      assert.equal(answer.headers['content-type'], undefined)
      assert.equal(answer.headers['content-length'], undefined)
    }
    for (const headers of [
      { 'if-none-match': '"v0"' },
      { 'if-none-match': '"v0"', 'if-modified-since': DATE },
      { 'if-modified-since': 'Mon, 31 Aug 2026 10:00:00 GMT' },
      { 'if-modified-since': 'yesterday' },
    ]) {
      const answer = await pages.ask(path, headers)
      assert.deepEqual([answer.status, answer.text, answer.headers['x-cache']], [200, 'page 1', 'HIT'])
    }
    assert.equal(pages.calls(path), 1)
    const record = await passing.guarded.record(await pages.ask(path, { 'if-none-match': '"v1"' }))
    assert.deepEqual([record.status, record.httpStatus, record.cache], ['SUCCESS', 304, 'HIT'])
  })

  test('of three megabytes is given whole, and no faster than it is read', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 'xyz')
    const path = pages.add(raw(large, { headers: { 'cache-control': FRESH } }))
    assert.deepEqual((await pages.ask(path)).body, large)
    const slow = await Promise.all(Array.from({ length: 40 }, () => passing.open(path)))
    for (const { stream, headers } of slow) {
      stream.pause()
      assert.equal(headers['x-cache'], 'HIT')
    }
    assert.deepEqual((await pages.ask(path)).body, large)
    const bodies = await Promise.all(slow.slice(0, 3).map((answer) => answer.rest()))
    for (const { body, complete } of bodies) assert.ok(complete && body.equals(large))
    for (const answer of slow) answer.abort()
    assert.equal(pages.calls(path), 1)
  })
})

describe('what is stored', () => {
  for (const cacheControl of [
    'public, max-age=60',
    's-maxage=60',
    'max-age=60, must-revalidate',
    'Public, Max-Age=60',
  ]) {
    test(`${cacheControl}: it was asked for with a key, and says that this does not matter`, async () => {
      const path = pages.counting({ 'cache-control': cacheControl })
      await pages.ask(path)
      assert.equal((await pages.ask(path)).headers['x-cache'], 'HIT')
    })
  }

  const NOT: readonly [string, Readonly<Record<string, string | string[]>>][] = [
    ['nothing is said', {}],
    ['it may be stored where no key was sent', { 'cache-control': 'max-age=60', etag: '"x"' }],
    ['it is private', { 'cache-control': 'private, public, max-age=60' }],
    ['it is private in part', { 'cache-control': 'public, PRIVATE="x-a, x-b", max-age=60' }],
    ['no-store', { 'cache-control': 'no-store, public, max-age=60' }],
    ['said in two lines', { 'cache-control': ['public, max-age=60', 'no-store'] }],
    ['it sets cookies', { 'cache-control': FRESH, 'set-cookie': 'a=b' }],
    ['it is compressed', { 'cache-control': FRESH, 'content-encoding': 'gzip' }],
    ['it varies by everything', { 'cache-control': FRESH, vary: '*' }],
    ['it varies by everything besides', { 'cache-control': FRESH, vary: ['accept', '*'] }],
    ['it varies by the key', { 'cache-control': FRESH, vary: 'Authorization' }],
    ['it is stale, and nothing is there to ask by', { 'cache-control': FRESH, age: '60' }],
  ]
  for (const [why, headers] of NOT) {
    test(`not, where ${why}`, async () => {
      const path = pages.counting(headers)
      assert.equal((await pages.ask(path)).text, 'page 1')
      const again = await pages.ask(path)
      assert.deepEqual([again.text, again.headers['x-cache']], ['page 2', 'MISS'])
      assert.doesNotMatch(String(again.headers['cache-status']), /stored/)
    })
  }

  for (const status of [301, 404, 410, 500]) {
    test(`no ${status}`, async () => {
      const path = pages.add(raw('x', { status, headers: { 'cache-control': FRESH } }))
      await pages.ask(path)
      const asked = pages.calls(path)
      assert.equal((await pages.ask(path)).status, status)
      assert.ok(pages.calls(path) > asked)
    })
  }

  test('no part, and for no part', async () => {
    const part = { 'content-range': 'bytes 0-1/10', 'cache-control': FRESH, etag: '"x"' }
    const path = pages.add((exchange) =>
      exchange.seen.headers['range'] === undefined
        ? raw('whole page', { headers: { 'cache-control': FRESH } })(exchange)
        : raw('wh', { status: 206, headers: part })(exchange),
    )
    const range = { range: 'bytes=0-1' }
    for (let i = 1; i <= 2; i++) {
      const answer = await pages.ask(path, range)
      assert.deepEqual([answer.status, answer.text, answer.headers['x-cache']], [206, 'wh', 'BYPASS'])
      assert.equal(pages.calls(path), i)
    }
    assert.equal((await pages.ask(path)).text, 'whole page')
    assert.equal((await pages.ask(path)).headers['x-cache'], 'HIT')
    assert.equal((await pages.ask(path, range)).status, 206)
    assert.equal((await pages.ask(path, { 'if-match': '"x"' })).headers['x-cache'], 'BYPASS')
    assert.equal(pages.calls(path), 5)
  })

  test('nothing that was cut off', async () => {
    const cut = async (exchange: Exchange): Promise<void> => {
      exchange.head(200, { 'cache-control': FRESH, 'content-length': 10 })
      await exchange.writeWhole('half')
      await exchange.cut()
    }
    const path = pages.add(behaviours.inTurn(cut, raw('whole', { headers: { 'cache-control': FRESH } })))
    assert.equal((await pages.ask(path)).complete, false)
    const second = await pages.ask(path)
    assert.deepEqual([second.text, second.headers['x-cache']], ['whole', 'MISS'])
  })

  test('nothing that nobody waited for to its end', async () => {
    const slow = async (exchange: Exchange): Promise<void> => {
      exchange.head(200, { 'cache-control': FRESH })
      await exchange.writeWhole('half')
      await exchange.untilOver()
    }
    const path = pages.add(behaviours.inTurn(slow, raw('whole', { headers: { 'cache-control': FRESH } })))
    const answer = await passing.open(path)
    await answer.until('half')
    answer.abort()
    await passing.asked(path)[0]!.ended
    assert.equal((await pages.ask(path)).text, 'whole')
    assert.equal((await pages.ask(path)).headers['x-cache'], 'HIT')
  })

  for (const chunked of [undefined, 65_536]) {
    test(`nothing of more than 4 MiB${chunked ? ', though its length is not told' : ''}`, async () => {
      const large = Buffer.alloc(4 * 1024 * 1024 + 1, 'x')
      const path = pages.add(raw(large, { headers: { 'cache-control': FRESH }, ...(chunked ? { chunked } : {}) }))
      assert.equal((await pages.ask(path)).body.length, large.length)
      const again = await pages.ask(path)
      assert.deepEqual([again.body.length, again.headers['x-cache']], [large.length, 'MISS'])
    })
  }
})

test('many at once get each a whole answer', async () => {
  const path = pages.counting({ 'cache-control': FRESH })
  const answers = await Promise.all(Array.from({ length: 50 }, () => pages.ask(path)))
  for (const { status, text } of answers) {
    assert.equal(status, 200)
    assert.match(text, /^page \d+$/)
  }
  await waitFor(async () => (await pages.ask(path)).headers['x-cache'] === 'HIT', { what: 'a hit' })
})

test('a purge ends them', async () => {
  await using lone = await startLoneProxy()
  const { proxy, upstream, control, configuration } = lone
  control.publish(configuration.at(1))
  upstream.on('', raw('x', { headers: { 'cache-control': FRESH } }))
  const ask = async (query: string) => {
    const headers = { authorization: `Bearer ${configuration.token}` }
    return (await send(`${proxy.url}/v1/images/x${query}`, { method: 'GET', headers })).headers['x-cache']
  }
  const purge = async (projectId: string | null, model: string | null) => {
    const toPurge = { id: newId(), at: new Date().toISOString(), ageMs: 0, clearStickyBindings: null }
    control.instruct({ ...toPurge, purgeCache: { projectId, model } })
  }
  await waitFor(async () => (await ask('')) === 'MISS', { what: 'the configuration' })
  assert.equal(await ask(''), 'HIT')
  const modelled = `?model=${configuration.alias}`
  assert.deepEqual([await ask(modelled), await ask(modelled)], ['MISS', 'HIT'])
  await purge(null, configuration.alias)
  await waitFor(async () => (await ask(modelled)) === 'MISS', { what: 'the purge of a model' })
  assert.equal(await ask(''), 'HIT', 'no model was asked for')
  await purge(configuration.at(1).projects[0]!.id, null)
  await waitFor(async () => (await ask('')) === 'MISS', { what: 'the purge of a project' })
})
