/** JSON bodies that are passed on: who gets them, what is changed of them, and what is tried again. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { newId } from '@millrace/shared'

import { assertError } from '../helpers/error-shape.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { refuse } from '../helpers/upstream/failures.ts'
import { credential, KEYS, startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
const IMAGES = '/v1/images/generations'
const DONE = raw('{"created":1}')
const invalid = (code: string, param?: string) => ({
  status: 400,
  type: 'invalid_request_error',
  code,
  ...(param === undefined ? {} : { param }),
})

before(async () => {
  passing = await startPassing({ MILLRACE_MAX_BODY_BYTES: '100000' })
  const { guarded } = passing
  const settings = { passthrough: { endpoints: ['/v1/images/*', '/v1/odd/*', '/v1/files*'] } }
  guarded.addAlias('pictures', {
    'by-alias': { providerModel: 'their-model', provider: { settings } },
  })
  guarded.addAlias('two-routes', {
    'first-route': { priority: 0, providerModel: 'model-a', provider: { settings } },
    'second-route': { priority: 1, providerModel: 'model-b', provider: { settings } },
  })
  guarded.addAlias('by-user', {
    'for-users': {
      priority: 0,
      providerModel: 'model-a',
      provider: { settings },
      condition: { user: 'somebody' },
    },
    'for-others': { priority: 1, providerModel: 'model-b', provider: { settings } },
  })
  for (const model of ['their-model', 'model-a', 'model-b', 'm', 'expensive']) passing.answering(model)
  await guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

/** The bytes that came to a path last. */
const bodyOf = (path: string): string => passing.asked(path).at(-1)!.body.toString()
const modelsAt = (path: string): unknown[] => passing.asked(path).map(({ model }) => model)

describe('a JSON body', () => {
  test('goes to the route of its model, whose name alone is changed', async () => {
    passing.page(IMAGES, DONE)
    const body = `{ "z": null,\t"n": 1.0, "model" : "pictures", "nested": {"model":"pictures"}, "big": 12345678901234567890, "ü": "\\u00fc" }\n`
    const answer = await passing.post(IMAGES, body, {
      headers: { 'content-type': 'application/json; charset=utf-8', 'openai-beta': 'x=1', cookie: 'a=b' },
    })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(bodyOf(IMAGES), body.replace('"model" : "pictures"', '"model" : "their-model"'))
    const seen = passing.asked(IMAGES).at(-1)!
    assert.equal(seen.method, 'POST')
    assert.equal(seen.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(seen.headers['content-length'], String(seen.body.length))
    assert.equal(seen.headers['openai-beta'], 'x=1')
    for (const name of ['authorization', 'cookie', 'transfer-encoding']) assert.equal(seen.headers[name], undefined)
    assert.equal(answer.headers['x-millrace-provider'], 'by-alias')
    assert.equal(answer.headers['x-millrace-model'], 'their-model')
    assert.match(String(answer.headers['cache-status']), /fwd=method/)
    const record = await passing.guarded.record(answer)
    assert.deepEqual(
      [record.endpoint, record.model, record.providerModel, record.status],
      [IMAGES, 'pictures', 'their-model', 'SUCCESS'],
    )
  })

  test('that names the model twice has both renamed', async () => {
    passing.page(IMAGES, DONE)
    await passing.post(IMAGES, '{"model":"expensive","n":1,"mod\\u0065l":"pictures"}')
    assert.equal(bodyOf(IMAGES), '{"model":"their-model","n":1,"mod\\u0065l":"their-model"}')
  })

  test('without a model goes by header, or to the only one there is', async () => {
    passing.page('/v1/images/plain', DONE)
    const unnamed = await passing.post('/v1/images/plain', '{}')
    assertError(unnamed, invalid('header_required'))
    const headers = { 'x-millrace-provider': 'by-alias' }
    assert.equal((await passing.post('/v1/images/plain', '{"model":null}', { headers })).status, 200)
    assert.equal(bodyOf('/v1/images/plain'), '{"model":null}')
  })

  test('has the query name the model where it does not', async () => {
    passing.page('/v1/images/queried', DONE)
    assert.equal((await passing.post('/v1/images/queried?model=pictures', '{"a":1}')).status, 200)
    assert.deepEqual(
      passing.asked('/v1/images/queried').map(({ url, body }) => [url, body.toString()]),
      [['/v1/images/queried?model=their-model', '{"a":1}']],
    )
    const two = await passing.post('/v1/images/queried?model=pictures', '{"model":"two-routes"}')
    assertError(two, invalid('param_not_allowed', 'model'))
  })

  for (const [what, body, expected] of [
    ['is not JSON', '{', invalid('invalid_json')],
    ['is no object', '[]', invalid('invalid_json')],
    ['is no UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), invalid('invalid_json')],
    ['names a model that is no text', '{"model":["pictures"]}', invalid('param_not_allowed', 'model')],
    ['names a model that nobody has', '{"model":"nobody"}', { ...invalid('model_not_found', 'model'), status: 404 }],
    ['is too large', `{"a":"${'x'.repeat(100_000)}"}`, { ...invalid('request_too_large'), status: 413 }],
  ] as const) {
    test(`that ${what} is refused`, async () => {
      const asked = passing.guarded.upstream.requests.length
      const answer = await passing.ask(IMAGES, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: body as string | Buffer,
      })
      assertError(answer, expected)
      assert.equal(passing.guarded.upstream.requests.length, asked)
    })
  }

  test('decides by conditions', async () => {
    passing.page('/v1/images/conditions', DONE)
    await passing.post('/v1/images/conditions', { model: 'by-user', user: 'somebody' })
    await passing.post('/v1/images/conditions', { model: 'by-user', user: 'else' })
    assert.deepEqual(modelsAt('/v1/images/conditions'), ['model-a', 'model-b'])
  })

  test('that is compressed is not read', async () => {
    passing.page('/v1/images/zipped', DONE)
    const zipped = gzipSync('{"model":"pictures"}')
    const headers = {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'x-millrace-provider': 'by-alias',
    }
    const answer = await passing.ask('/v1/images/zipped', { method: 'POST', headers, body: zipped })
    assert.equal(answer.status, 200, answer.text)
    const [seen] = passing.asked('/v1/images/zipped')
    assert.deepEqual(seen!.body, zipped)
    assert.equal(seen!.headers['content-encoding'], 'gzip')
  })

  test('goes with any method; one without a body has none', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS']) {
      const path = `/v1/images/with-${method}`
      passing.page(path, DONE)
      assert.equal((await passing.post(path, '{"model":"pictures"}', { method })).status, 200, method)
      const bare = await passing.ask(`${path}?model=pictures`, { method })
      assert.equal(bare.status, 200, method)
      const [first, second] = passing.asked(path)
      assert.deepEqual([first!.method, first!.body.toString()], [method, '{"model":"their-model"}'])
      assert.deepEqual([second!.method, second!.body.length, second!.headers['content-type']], [method, 0, undefined])
    }
    // It would show what the provider is sent.
    assert.equal((await passing.ask('/v1/images/x', { method: 'TRACE' })).status, 404)
  })

  test('methods that the settings do not list are not passed on', async () => {
    const settings = { passthrough: { endpoints: ['/v1/posted/*'], methods: ['POST'] } }
    passing.provider('poster', [], { settings })
    await passing.guarded.serve()
    passing.page('/v1/posted/x', DONE)
    assert.equal((await passing.post('/v1/posted/x', '{}')).status, 200)
    for (const method of ['GET', 'PUT', 'DELETE'])
      assert.equal((await passing.ask('/v1/posted/x', { method })).status, 404, method)
  })
})

describe("the token's access", () => {
  test('holds for what stands in the body', async () => {
    passing.page(IMAGES, DONE)
    const { guarded } = passing
    const token = guarded.addToken({ models: ['pict*'], params: { size: ['small'], n: ['1'] } })
    await guarded.serve()
    const ask = (body: object, target = IMAGES) => passing.post(target, body, { token: token.secret })
    assert.equal((await ask({ model: 'pictures', size: 'small', n: 1 })).status, 200)
    const forbidden = { status: 403, type: 'permission_error', code: 'model_not_allowed', param: 'model' }
    assertError(await ask({ model: 'two-routes' }), forbidden)
    assertError(await ask({ n: 1 }), forbidden)
    assertError(await ask({ model: 'pictures', size: 'large' }), invalid('param_not_allowed', 'size'))
    assertError(await ask({ model: 'pictures' }, `${IMAGES}?size=large`), invalid('param_not_allowed', 'size'))
  })

  test('holds for bodies that are not read: what can hide there is refused', async () => {
    const { guarded } = passing
    const byModel = guarded.addToken({ models: ['pict*'] })
    const byParam = guarded.addToken({ params: { size: ['small'] } })
    guarded.addAlias('narrow', {
      'narrow-provider': {
        access: { models: ['their-model'] },
        providerModel: 'their-model',
        provider: { settings: { passthrough: { endpoints: ['/v1/images/*'] } } },
      },
    })
    await guarded.serve()
    const asked = guarded.upstream.requests.length
    const ask = (token: string, target: string) =>
      passing.ask(target, {
        method: 'POST',
        token,
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
        body: '--b--',
      })
    const modelRefused = { status: 403, type: 'permission_error', code: 'model_not_allowed', param: 'model' }
    assert.match(assertError(await ask(byModel.secret, '/v1/images/edits?model=pictures'), modelRefused), /unread/)
    assert.match(
      assertError(await ask(byParam.secret, '/v1/images/edits?model=pictures'), invalid('param_not_allowed', 'size')),
      /unread/,
    )
    assertError(await ask(guarded.token, '/v1/images/edits?model=narrow'), modelRefused)
    assert.equal(guarded.upstream.requests.length, asked)
  })
})

describe('attempts', () => {
  const order = async (answer: Awaited<ReturnType<Passing['post']>>) =>
    (await passing.guarded.record(answer)).attempts.map(({ providerName, errorClass }) => [providerName, errorClass])

  test('go on to another route, each with its model', async () => {
    passing.page('/v1/images/flaky', behaviours.inTurn(behaviours.reset(), DONE))
    const answer = await passing.post('/v1/images/flaky', { model: 'two-routes' })
    assert.equal(answer.status, 200)
    assert.deepEqual(modelsAt('/v1/images/flaky'), ['model-a', 'model-b'])
    assert.deepEqual(await order(answer), [
      ['first-route', 'transport_error'],
      ['second-route', null],
    ])
  })

  test('go on to the next upstream key', async () => {
    const credentials = [credential('SHARED_API_KEY'), credential('SECOND_API_KEY')]
    passing.provider('two-keys', ['/v1/two-keys/*'], { credentials })
    await passing.guarded.serve()
    passing.page('/v1/two-keys/x', behaviours.byKey({ [KEYS.SECOND_API_KEY]: DONE }, refuse(401)))
    assert.equal((await passing.post('/v1/two-keys/x', '{}')).status, 200)
  })

  test('end with what the provider says that nothing mends', async () => {
    passing.page('/v1/images/refused', refuse(422, { message: 'no such size' }))
    const answer = await passing.post('/v1/images/refused', { model: 'two-routes' })
    assert.equal(answer.status, 422)
    assert.match(answer.text, /no such size/)
    assert.equal(passing.asked('/v1/images/refused').length, 1)
  })

  test('end where an answer has begun', async () => {
    passing.page('/v1/images/broken', async (exchange) => {
      exchange.head(200, { 'content-type': 'application/json', 'content-length': 100 })
      await exchange.writeWhole('{"half":')
      await exchange.cut()
    })
    const answer = await passing.post('/v1/images/broken', { model: 'two-routes' })
    assertError(answer, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
    assert.equal(passing.asked('/v1/images/broken').length, 1)
  })

  describe('at what keeps state', () => {
    const FILES = '/v1/files/x/act'
    const ask = async (method: string, ...turns: Parameters<typeof behaviours.inTurn>) => {
      const { guarded } = passing
      const name = `keeper-${newId()}`
      passing.provider(name, ['/v1/files*'], { credentials: [credential('PROJECT_API_KEY', guarded.projectId)] })
      await guarded.serve()
      passing.page(FILES, behaviours.inTurn(...turns))
      const already = passing.asked(FILES).length
      const answer = await passing.post(FILES, '{"a":1}', { method, headers: { 'x-millrace-provider': name } })
      return { answer, asked: passing.asked(FILES).length - already }
    }

    test('a POST that was seen is not sent again', async () => {
      const reset = await ask('POST', behaviours.reset(), DONE)
      assertError(reset.answer, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
      assert.equal(reset.asked, 1)
      const failed = await ask('POST', refuse(503, { message: 'who knows' }), DONE)
      assert.equal(failed.answer.status, 503)
      assert.match(failed.answer.text, /who knows/)
      assert.equal(failed.asked, 1)
    })
    test('one that was refused is', async () => {
      const { answer, asked } = await ask('POST', refuse(429), DONE)
      assert.deepEqual([answer.status, asked], [200, 2])
    })
    test('what may be done twice is', async () => {
      for (const method of ['PUT', 'DELETE']) {
        const { answer, asked } = await ask(method, refuse(503), DONE)
        assert.deepEqual([answer.status, asked], [200, 2], method)
      }
    })
  })
})
