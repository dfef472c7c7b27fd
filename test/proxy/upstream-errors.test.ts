/** What becomes of a provider's failures: passed on as they came, or told in the gateway's own words. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'

import { assertError, type ExpectedError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

const scene = useScene()
const allFailed: ExpectedError = { status: 502, type: 'upstream_error', code: 'all_routes_failed' }
const timedOut: ExpectedError = { status: 504, type: 'timeout_error', code: 'upstream_timeout' }

describe("the provider's refusals that no other route can mend, as they came", () => {
  for (const status of [400, 404, 413, 422]) {
    for (const stream of [false, true]) {
      test(`${status}${stream ? ' to a stream' : ''}`, async () => {
        scene.upstream.next(behaviours.refuse(status, { code: 'its_own', headers: { 'x-custom': 'kept' } }))
        const before = scene.upstream.requests.length
        const answer = await scene.chat(scene.body(scene.alias, { stream }))
        assert.equal(answer.status, status)
        assert.deepEqual(answer.body, scene.upstream.last.sent)
        assert.equal(answer.headers['x-custom'], 'kept')
        assert.equal(answer.headers['content-type'], 'application/json')
        assert.equal(scene.upstream.requests.length, before + 1, 'it is not tried again')
      })
    }
  }

  for (const then of ['cut', 'reset', 'stall'] as const) {
    for (const stream of [false, true]) {
      test(`half of one is nobody's: ${then}${stream ? ', of a stream' : ''}`, async () => {
        const timeouts = { idle: 300 }
        const model = await scene.behaving(uniqueName('half'), behaviours.halfRefusal(then), { timeouts })
        const answer = await scene.chat(scene.body(model, { stream }))
        const expected = then === 'stall' ? timedOut : allFailed
        assertError(answer, expected)
        const record = await scene.gateway.record(String(answer.headers['x-request-id']))
        assert.deepEqual(
          [record.status, record.httpStatus, record.errorClass],
          [then === 'stall' ? 'TIMEOUT' : 'ERROR', expected.status, expected.code],
        )
        assert.equal(record.attempts.at(-1)!.upstreamStatus, 400)
      })
    }
  }

  test("a page that isn't JSON", async () => {
    scene.upstream.next(behaviours.html(404))
    const answer = await scene.chat(scene.body())
    assert.equal(answer.status, 404)
    assert.deepEqual(answer.body, scene.upstream.last.sent)
    assert.equal(answer.headers['content-type'], 'text/html')
  })
})

describe("the provider's failures", () => {
  const exhausted: ExpectedError = { status: 502, type: 'upstream_error', code: 'upstream_credentials_exhausted' }
  const cases: [string, Behaviour, ExpectedError][] = [
    ['401', behaviours.unauthorized(), exhausted],
    ['403', behaviours.forbidden(), exhausted],
    ['500', behaviours.serverError(), allFailed],
    ['503', behaviours.unavailable(), allFailed],
    ['429', behaviours.rateLimited(), { ...allFailed, status: 429 }],
    ['HTML of a load balancer', behaviours.html(), allFailed],
    ['HTML with a 200', behaviours.html(200), allFailed],
    [
      'a redirect, which is not followed',
      behaviours.redirect('https://elsewhere.example/v1/chat/completions'),
      allFailed,
    ],
    ['a 200 with an error object', behaviours.okWithError(), allFailed],
    ['truncated JSON', behaviours.truncatedJson(), allFailed],
    ['a reset', behaviours.reset(), allFailed],
    ['a cut before the headers', behaviours.cutOff('before-headers'), allFailed],
    ['a cut after the headers', behaviours.cutOff('after-headers'), allFailed],
    ['a cut in mid-JSON', behaviours.cutOff('mid-body'), allFailed],
  ]
  for (const [name, behaviour, expected] of cases) {
    test(`${name}: ${expected.status} ${expected.code}`, async () => {
      const model = await scene.behaving(`fails-${name.replace(/\W+/g, '-')}`, behaviour)
      const answer = await scene.chat(scene.body(model))
      const message = assertError(answer, expected)
      assert.doesNotMatch(message, /sk-upstream/, "the provider's key is not shown")
      assert.equal(answer.headers['x-should-retry'], 'false', "the gateway's own attempts are used up")
      assert.equal(answer.headers['location'], undefined)
    })
  }

  for (const [name, behaviour] of [
    ['an error event', behaviours.errorEventFirst()],
    ['a cut before the first token', behaviours.cutOff('before-first-token')],
    ['a stream that is JSON', behaviours.raw('{"object":"chat.completion","choices":[]}')],
  ] as const) {
    test(`a stream that begins with ${name}: a plain ${allFailed.status}`, async () => {
      const model = await scene.behaving(`stream-${name.replace(/\W+/g, '-')}`, behaviour)
      assertError(await scene.chat(scene.body(model, { stream: true })), allFailed)
    })
  }

  test("a 429 keeps its retry-after, in both units; one that is longer than the gateway's patience is not waited for", async () => {
    const model = await scene.behaving('limited', behaviours.rateLimited('37'))
    const began = performance.now()
    const answer = await scene.chat(scene.body(model))
    assertError(answer, { ...allFailed, status: 429 })
    assert.equal(answer.headers['retry-after'], '37')
    assert.equal(answer.headers['retry-after-ms'], '37000')
    assert.ok(performance.now() - began < 30_000)
  })

  test('a 429 without a retry-after gets one, in both units', async () => {
    const model = await scene.behaving('limited-for-how-long', behaviours.rateLimited())
    const answer = await scene.chat(scene.body(model))
    assertError(answer, { ...allFailed, status: 429 })
    const [seconds, milliseconds] = [answer.headers['retry-after'], answer.headers['retry-after-ms']].map(Number)
    assert.ok(seconds! >= 1 && seconds! <= 60, `retry-after ${seconds}`)
    assert.ok(milliseconds! > 0 && Math.ceil(milliseconds! / 1_000) === seconds, `retry-after-ms ${milliseconds}`)
  })

  test('nobody listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const model = await scene.gateway.serve(`http://127.0.0.1:${port}/v1`)
    assertError(await scene.chat(scene.body(model)), allFailed)
  })
})
