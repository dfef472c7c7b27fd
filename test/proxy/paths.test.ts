/** Paths that there are not, methods that they do not take, models that nobody has, and what is no path at all. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertError, type ExpectedError } from '../helpers/error-shape.ts'
import { send } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'

const scene = useScene()
const notFound: ExpectedError = { status: 404, type: 'invalid_request_error', code: 'endpoint_not_found' }
const notAllowed: ExpectedError = { status: 405, type: 'invalid_request_error', code: 'method_not_allowed' }

describe('the path', () => {
  const ask = (method: string, path: string) =>
    send(`${scene.gateway.proxy.url}${path}`, { method, headers: { authorization: `Bearer ${scene.gateway.token}` } })

  for (const path of ['/v1/nothing', '/v1/chat', '/v1/chat/completions/more', '/v1', '/v1/chat%2Fcompletions']) {
    test(`${path} is unknown`, async () => {
      assertError(await ask('POST', path), notFound)
    })
  }
  for (const [method, path, allow] of [
    ['GET', '/v1/chat/completions', 'POST'],
    ['DELETE', '/v1/chat/completions', 'POST'],
    ['POST', '/v1/models', 'GET'],
  ] as const) {
    test(`${method} ${path} is not allowed`, async () => {
      const answer = await ask(method, path)
      assertError(answer, notAllowed)
      assert.match(String(answer.headers['allow']), new RegExp(`\\b${allow}\\b`))
    })
  }
  test('an unknown model', async () => {
    const expected = { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' }
    assertError(await scene.chat(scene.body('nobody-has-this')), expected)
    assertError(await ask('GET', '/v1/models/nobody-has-this'), expected)
    // Object.prototype is no alias.
    for (const name of ['__proto__', 'constructor', 'toString'])
      assertError(await scene.chat(scene.body(name)), expected)
  })

  for (const path of ['/v1/models/%zz', '/v1/models/%E0%A4%A', '/v1/%zz', '/v1/%', '/%zz']) {
    test(`${path} is not percent-encoding: refused in OpenAI's shape`, async () => {
      for (const method of ['GET', 'POST']) {
        const answer = await ask(method, path)
        assert.ok(answer.status >= 400 && answer.status < 500, `${method}: ${answer.status} ${answer.text}`)
        assert.match(String(answer.headers['content-type']), /^application\/json\b/)
        const { error } = JSON.parse(answer.text) as { error: Record<string, unknown> }
        assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type'])
        assert.equal(error['type'], 'invalid_request_error')
        assert.ok(typeof error['code'] === 'string' && typeof error['message'] === 'string' && error['message'])
        if (path.startsWith('/v1')) assert.ok(answer.headers['x-request-id'], `${method}: no request id`)
      }
      assert.equal((await ask('GET', '/v1/models')).status, 200, 'it goes on serving')
    })
  }
})
