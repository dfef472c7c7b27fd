/** Pages of other origins, as browsers send their requests: preflight first, without a key, then the request itself. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { send, type Answer } from '../helpers/http.ts'
import { behaviours, MANY_HEADERS } from '../helpers/upstream/behaviours.ts'
import { bearer, startGuarded, type Guarded } from './access/guarded.ts'

const ORIGIN = 'https://app.example.com'
let guarded: Guarded
let own: Readonly<Record<string, string>>

before(async () => {
  guarded = await startGuarded()
  own = bearer(guarded.addToken({ origins: ['https://*.example.com'] }))
  await guarded.serve()
})
after(() => guarded[Symbol.asyncDispose]())

/** As Chrome asks before a page may send JSON with a key. */
function preflight(path: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const headers = {
    accept: '*/*',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
    origin: ORIGIN,
    'sec-fetch-mode': 'cors',
    ...more,
  }
  return send(`${guarded.url}${path}`, { method: 'OPTIONS', headers })
}

function list(answer: Answer, name: string): string[] {
  return String(answer.headers[name] ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}

/** Whether a page of the origin may read an answer, and what of it. */
function assertReadable(answer: Answer, origin = ORIGIN): void {
  assert.equal(answer.headers['access-control-allow-origin'], origin)
  assert.equal(answer.headers['access-control-allow-credentials'], undefined)
  assert.ok(list(answer, 'vary').includes('origin'))
  const exposed = list(answer, 'access-control-expose-headers')
  for (const name of Object.keys(answer.headers).filter((one) =>
    /^(x-(millrace|ratelimit|request)-|retry-after)/.test(one),
  ))
    assert.ok(exposed.includes(name), `${name} is exposed`)
}

function assertNoCors({ headers }: Answer): void {
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith('access-control-')),
    [],
  )
}

describe('a preflight', () => {
  for (const path of ['/v1/chat/completions', '/v1/models', '/v1/models/a/b', '/v1/not/there/yet', '/v1']) {
    test(`of ${path} is answered without a key`, async () => {
      const answer = await preflight(path)
      assert.equal(answer.status, 204, answer.text)
      assert.equal(answer.text, '')
      assert.equal(answer.headers['access-control-allow-origin'], ORIGIN)
      assert.ok(list(answer, 'access-control-allow-methods').includes('post'))
      assert.deepEqual(list(answer, 'access-control-allow-headers'), [
        'authorization',
        'content-type',
        'x-stainless-lang',
      ])
      assert.ok(Number(answer.headers['access-control-max-age']) > 0)
      assert.ok(list(answer, 'vary').includes('origin'))
      assert.equal(answer.headers['access-control-allow-credentials'], undefined)
    })
  }

  for (const names of ['a b', 'x-a,,x-b', 'x-a:1', `x-${'a'.repeat(5_000)}`]) {
    test(`does not allow headers that are none: ${names.slice(0, 10)}`, async () => {
      const answer = await preflight('/v1/models', { 'access-control-request-headers': names })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers['access-control-allow-headers'], undefined)
    })
  }

  test('is one only as browsers send it: any other OPTIONS wants a key, and is no method of the path', async () => {
    const options = (headers: Record<string, string>): Promise<Answer> =>
      send(`${guarded.url}/v1/models`, { method: 'OPTIONS', headers })
    const noKey = { status: 401, type: 'authentication_error', code: 'invalid_api_key' }
    assertError(await options({}), noKey)
    assertError(await options({ origin: ORIGIN }), noKey)
    const refused = await options(guarded.headers())
    assertError(refused, { status: 405, type: 'invalid_request_error', code: 'method_not_allowed' })
    assert.equal(refused.headers['allow'], 'GET')
  })

  test('of no path of the API is not answered so', async () => {
    assertNoCors(await preflight('/healthz'))
  })
})

describe('the request', () => {
  test('can be read by the page that sent it, and nothing of what the provider says of its own pages', async () => {
    for (const stream of [false, true]) {
      guarded.upstream.next(behaviours.manyHeaders())
      const answer = await guarded.chat({ stream }, { origin: ORIGIN })
      assert.equal(answer.status, 200, answer.text)
      assertReadable(answer)
      assert.notEqual(answer.headers['access-control-allow-origin'], MANY_HEADERS['access-control-allow-origin'])
    }
    assertReadable(await guarded.get('/v1/models', { origin: ORIGIN }))
    assertReadable(await guarded.chat({}, { origin: 'null' }), 'null')
  })

  test('can be read where it is refused, by the gateway or by a provider', async () => {
    assertReadable(await guarded.chat({ model: 'nobody-has-this' }, { origin: ORIGIN }))
    assertReadable(await guarded.get('/v1/nothing', { origin: ORIGIN }))
    assertReadable(await guarded.get('/v1/chat/completions', { origin: ORIGIN }))
    const refused = await guarded.chat({}, { origin: ORIGIN, authorization: 'Bearer wrong' })
    assert.equal(refused.status, 401)
    assertReadable(refused)
    guarded.upstream.next(behaviours.badRequest())
    const bad = await guarded.chat({}, { origin: ORIGIN })
    assert.equal(bad.status, 400)
    assertReadable(bad)
    const large = await guarded.chatText('x'.repeat(11_000_000), { origin: ORIGIN })
    assert.equal(large.status, 413)
    assertReadable(large)
  })

  test('tells the provider nothing of the page', async () => {
    assert.equal((await guarded.chat({}, { origin: ORIGIN, referer: `${ORIGIN}/private` })).status, 200)
    const { origin, referer } = guarded.upstream.last.headers
    assert.deepEqual([origin, referer], [undefined, undefined])
  })

  test('that names no origin is answered without', async () => {
    const answer = await guarded.chat()
    assertNoCors(answer)
    assert.equal(answer.headers['vary'], undefined)
  })

  test("can be read only by pages of the token's origins, which alone are served", async () => {
    assertReadable(await guarded.chat({}, { ...own, origin: ORIGIN }))
    for (const origin of ['https://evil.test', 'null']) {
      const answer = await guarded.chat({}, { ...own, origin })
      assertError(answer, { status: 403, type: 'permission_error', code: 'origin_not_allowed' })
      assertNoCors(answer)
      assert.ok(list(answer, 'vary').includes('origin'))
    }
  })
})
