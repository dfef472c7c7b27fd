/** What may not be passed on: by whom, and to where. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
before(async () => {
  passing = await startPassing()
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

describe("the token's access", () => {
  const refusals: readonly [string, Parameters<Passing['guarded']['addToken']>[0], string, string, number, string][] = [
    ['endpoints', { endpoints: ['/v1/audio/*'] }, '/v1/images/a', '/v1/audio/a', 404, 'endpoint_not_found'],
    ['methods', { methods: ['POST'] }, '/v1/images/a', '', 405, 'method_not_allowed'],
    ['headers', { requiredHeaders: ['x-team'] }, '/v1/images/a', '', 400, 'header_required'],
    ['origins', { origins: ['https://a.example'] }, '/v1/images/a', '', 403, 'origin_not_allowed'],
    ['addresses', { ipRanges: ['10.0.0.0/8'] }, '/v1/images/a', '', 403, 'ip_not_allowed'],
    [
      'parameters',
      { params: { size: ['1*'] } },
      '/v1/images/a?size=1&size=2',
      '/v1/images/a?size=12',
      400,
      'param_not_allowed',
    ],
    ['models', { models: ['a*'] }, '/v1/images/a?model=b', '', 403, 'model_not_allowed'],
    ['models, where none is named', { models: ['a*'] }, '/v1/images/a', '', 403, 'model_not_allowed'],
  ]
  for (const [what, access, refusedTarget, allowed, status, code] of refusals) {
    test(`holds: ${what}`, async () => {
      const token = passing.guarded.addToken(access)
      await passing.guarded.serve()
      passing.text('/v1/images/a', 'a')
      passing.text('/v1/audio/a', 'a')
      const asked = passing.guarded.upstream.requests.length
      const refused = await passing.ask(refusedTarget, { token: token.secret })
      assert.equal(refused.status, status, refused.text)
      assert.equal((JSON.parse(refused.text) as { error: { code: string } }).error.code, code)
      assert.equal(passing.guarded.upstream.requests.length, asked)
      if (allowed !== '') assert.equal((await passing.ask(allowed, { token: token.secret })).status, 200)
    })
  }
  test('holds: a secret', async () => {
    const answer = await passing.ask('/v1/images/a', { token: 'sk-mr-nobody' })
    assertError(answer, { status: 401, type: 'authentication_error', code: 'invalid_api_key' })
  })
  test('holds: a body that another parser may read otherwise', async () => {
    const token = passing.guarded.addToken({ models: ['a*'], params: { size: ['1'] } })
    passing.guarded.addAlias('a', {
      'named-a': { providerModel: 'x', provider: { settings: { passthrough: { endpoints: ['/v1/read/*'] } } } },
    })
    passing.answering('x')
    await passing.guarded.serve()
    passing.page('/v1/read/x', raw('{}'))
    const ask = (body: string, type = 'application/json') =>
      passing.post('/v1/read/x?model=a', body, { token: token.secret, headers: { 'content-type': type } })
    assert.equal((await ask('{"model":"a","size":1}', 'application/vnd.api+json; charset=UTF-8')).status, 200)
    const asked = passing.guarded.upstream.requests.length
    const invalid = { status: 400, type: 'invalid_request_error', code: 'param_not_allowed' }
    for (const body of ['{"model":"b","model":null}', '{"model":"b","model":""}'])
      assertError(await ask(body), { ...invalid, param: 'model' })
    assertError(await ask('{"model":"a","size":2,"size":1}'), { ...invalid, param: 'size' })
    const unread = { status: 403, type: 'permission_error', code: 'model_not_allowed', param: 'model' }
    for (const type of ['text/json', 'application/json; charset=utf-16', 'application/json;a=b;charset="utf-7"'])
      assertError(await ask('{"model":"a","size":1}', type), unread)
    assert.equal(passing.guarded.upstream.requests.length, asked)
  })
  test('holds: what the provider lets through', async () => {
    passing.provider('guarded', ['/v1/guarded/*'], {
      access: {
        models: null,
        endpoints: null,
        methods: ['HEAD'],
        origins: null,
        ipRanges: null,
        params: null,
        requiredHeaders: null,
        ownKeys: false,
      },
    })
    await passing.guarded.serve()
    passing.text('/v1/guarded/x', 'x')
    assert.equal((await passing.ask('/v1/guarded/x')).status, 405)
    assert.equal((await passing.ask('/v1/guarded/x', { method: 'HEAD' })).status, 200)
  })
})

describe('limits', () => {
  test('count it as a request', async () => {
    const limits = { requestsPerMinute: 2, tokensPerMinute: 1, maxConcurrent: null }
    const token = passing.guarded.addToken(null, { limits })
    await passing.guarded.serve()
    passing.text('/v1/images/limited', 'x', { 'cache-control': 'public, max-age=60' })
    const first = await passing.ask('/v1/images/limited', { token: token.secret })
    assert.equal(first.status, 200)
    assert.equal(first.headers['x-ratelimit-remaining-requests'], '1')
    // From the cache: that counts too.
    const second = await passing.ask('/v1/images/limited', { token: token.secret })
    assert.deepEqual([second.status, second.headers['x-cache']], [200, 'HIT'])
    const third = await passing.ask('/v1/images/limited', { token: token.secret })
    assertError(third, { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
    assert.equal(passing.asked('/v1/images/limited').length, 1)
  })
})

describe('a path that would lead elsewhere', () => {
  const TARGETS = [
    '/v1/images/../../admin',
    '/v1/images/..',
    '/v1/../admin',
    '/v1/images/%2e%2e/%2e%2e/admin',
    '/v1/images/.%2E/admin',
    '/v1/images/..%2fadmin',
    '/v1/images/%2e%2e%2fadmin',
    '/v1/images/..%5cadmin',
    '/v1/images/..\\admin',
    '/v1/images/%252e%252e/admin',
    '/v1/images/..;/admin',
    '/v1//images/a',
    '/v1/images//a',
    '/v1/images/a/',
    '/v1/images/./a',
    '/v1/images/a%00',
    '/v1/images/a%0d%0ax:%20y',
    '/v1/images/%zz',
    '/v1/images/a%2fb',
    '//v1/images/a',
    '/v1/images/a#b',
  ]
  for (const target of TARGETS) {
    test(`${target} goes nowhere`, async () => {
      const asked = passing.guarded.upstream.requests.length
      const answer = await passing.ask(target, { headers: { 'x-millrace-provider': 'own-provider' } })
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`)
      assert.equal(passing.guarded.upstream.requests.length, asked)
    })
  }
  test('is not named by a header either', async () => {
    passing.text('/v1/images/plain', 'x')
    const overrides = {
      'x-original-url': '/admin',
      'x-rewrite-url': '/admin',
      'x-http-method': 'DELETE',
      'x-http-method-override': 'DELETE',
      'x-method-override': 'DELETE',
      x_original_url: '/admin',
      x_http_method_override: 'DELETE',
    }
    assert.equal((await passing.ask('/v1/images/plain', { headers: overrides })).status, 200)
    const [seen] = passing.asked('/v1/images/plain')
    for (const name of Object.keys(overrides)) assert.equal(seen!.headers[name], undefined, name)
  })
  test('an absolute one neither', async () => {
    const asked = passing.guarded.upstream.requests.length
    const answer = await passing.ask(`${passing.guarded.upstream.baseUrl}/images/a`)
    assert.ok(answer.status >= 400 && answer.status < 500)
    assert.equal(passing.guarded.upstream.requests.length, asked)
  })
  test('dots in a query are nobody’s business', async () => {
    passing.text('/v1/images/dots', 'x')
    assert.equal((await passing.ask('/v1/images/dots?../..//%2e%2e')).status, 200)
    assert.equal(passing.asked('/v1/images/dots')[0]!.url, '/v1/images/dots?../..//%2e%2e')
  })
})
