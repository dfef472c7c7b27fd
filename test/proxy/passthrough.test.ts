/** Paths that the proxy does not serve itself: GET and HEAD, passed on as they come, and their answers. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { DEFAULT_TIMEOUTS } from '@millrace/shared'

import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/names.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { behaviours, MANY_HEADERS } from '../helpers/upstream/behaviours.ts'
import { refuse } from '../helpers/upstream/failures.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
const PICTURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 254, 13, 10, 0xc3, 0x28])
before(async () => {
  passing = await startPassing()
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

describe('a GET', () => {
  test('goes to the provider as it came, and its answer comes back so', async () => {
    passing.page('/v1/images/one', raw(PICTURE, { headers: { 'content-type': 'image/png', etag: '"p"' } }))
    const target = '/v1/images/one?b=%2f..%2F&a=1&&empty=&b=+%20'
    const answer = await passing.ask(target, {
      headers: { 'accept-language': 'de', 'x-api-key': 'sk-mine', cookie: 'a=b', 'x-millrace-user': 'me' },
    })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, PICTURE)
    assert.equal(answer.headers['content-type'], 'image/png')
    assert.equal(answer.headers['content-length'], String(PICTURE.length))
    assert.equal(answer.headers['etag'], '"p"')
    assert.equal(answer.headers['x-millrace-provider'], 'own-provider')
    assert.equal(answer.headers['x-millrace-attempts'], '1')
    assert.equal(answer.headers['x-millrace-model'], undefined)
    assert.ok(answer.headers['x-request-id'] && answer.headers['x-millrace-id'])

    const seen = passing.asked('/v1/images/one').at(-1)!
    assert.equal(seen.method, 'GET')
    assert.equal(seen.url, target)
    assert.equal(seen.body.length, 0)
    assert.equal(seen.headers['accept-language'], 'de')
    for (const name of ['authorization', 'x-api-key', 'cookie', 'x-millrace-user', 'content-type', 'content-length'])
      assert.equal(seen.headers[name], undefined, name)

    const record = await passing.guarded.record(answer)
    assert.equal(record.endpoint, '/v1/images/one')
    assert.equal(record.model, '')
    assert.equal(record.status, 'SUCCESS')
    assert.equal(record.httpStatus, 200)
    assert.equal(record.usage.source, 'NONE')
    assert.equal(record.counted, true)
    assert.equal(record.attempts.length, 1)
    assert.equal(record.attempts[0]!.upstreamStatus, 200)
    assert.equal(record.attempts[0]!.providerName, 'own-provider')
    assert.doesNotMatch(record.attempts[0]!.upstreamUrl!, /\?/)
  })

  test('brings the headers that others do', async () => {
    passing.page('/v1/images/headers', raw('x', { headers: { ...MANY_HEADERS, 'x-cache': 'HIT from theirs' } }))
    const { headers, rawHeaders } = await passing.ask('/v1/images/headers')
    assert.equal(headers['x-custom-header'], 'passes')
    assert.equal(headers['x-millrace-upstream-request-id'], 'req_of_the_upstream')
    assert.equal(headers['x-millrace-provider'], 'own-provider')
    for (const name of ['set-cookie', 'access-control-allow-origin', 'openai-organization', 'x-hop'])
      assert.equal(headers[name], undefined, name)
    assert.equal(rawHeaders.filter((name) => name.toLowerCase() === 'x-cache').length, 1)
  })

  test('asks for no compression; what is compressed all the same comes so', async () => {
    const zipped = gzipSync('compressed')
    passing.page('/v1/images/zipped', raw(zipped, { headers: { 'content-encoding': 'gzip' } }))
    const answer = await passing.ask('/v1/images/zipped', { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(answer.headers['content-encoding'], 'gzip')
    assert.deepEqual(answer.body, zipped)
    assert.equal(passing.asked('/v1/images/zipped')[0]!.headers['accept-encoding'], 'identity')
  })

  for (const [status, headers] of [
    [203, {}],
    [204, {}],
    [301, { location: 'https://elsewhere.example/x' }],
    [304, { etag: '"e"' }],
    [307, { location: '/v1/images/other' }],
    [400, {}],
    [404, {}],
    [418, { 'x-tea': 'yes' }],
  ] as const) {
    test(`brings ${status} as it is`, async () => {
      const path = `/v1/images/status-${status}`
      const body = status === 204 || status === 304 ? '' : `said with ${status}`
      passing.page(path, raw(body, { status, headers: { 'content-type': 'text/x-odd', ...headers } }))
      const answer = await passing.ask(path)
      assert.equal(answer.status, status)
      assert.equal(answer.text, body)
      for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers[name], value)
      assert.equal(passing.asked(path).length, 1)
      const record = await passing.guarded.record(answer)
      assert.equal(record.httpStatus, status)
      assert.equal(record.status, status < 400 ? 'SUCCESS' : 'ERROR')
    })
  }

  test('is tried again as others are; then the last answer comes as it is', async () => {
    passing.page('/v1/images/down', refuse(503, { message: 'all of us are away' }))
    const answer = await passing.ask('/v1/images/down')
    assert.equal(answer.status, 503)
    assert.match(answer.text, /all of us are away/)
    const record = await passing.guarded.record(answer)
    assert.equal(record.attempts.length, passing.asked('/v1/images/down').length)
    assert.ok(record.attempts.length > 1)
    assert.equal(record.errorClass, 'upstream_5xx')
  })

  test('keeps its provider at the rate that it asks for', async () => {
    passing.provider('busy', ['/v1/busy/*'])
    await passing.guarded.serve()
    passing.page('/v1/busy/x', refuse(429, { retryAfter: '77' }))
    const answer = await passing.ask('/v1/busy/x')
    assert.equal(answer.status, 429)
    assert.equal(answer.headers['retry-after'], '77')
    assert.equal((await passing.ask('/v1/busy/x')).status, 429)
    // Another revision has not forgotten it.
    await passing.guarded.serve()
    assert.equal((await passing.ask('/v1/busy/x')).status, 429)
    assert.equal(passing.asked('/v1/busy/x').length, 1)
  })
})

describe('a HEAD', () => {
  test('is asked as one', async () => {
    passing.page('/v1/images/head', raw('seven b', { headers: { 'content-type': 'image/png', etag: '"h"' } }))
    const answer = await passing.ask('/v1/images/head?a', { method: 'HEAD' })
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '')
    assert.equal(answer.headers['content-length'], '7')
    assert.equal(answer.headers['etag'], '"h"')
    assert.deepEqual(
      passing.asked('/v1/images/head').map(({ method, url }) => [method, url]),
      [['HEAD', '/v1/images/head?a']],
    )
  })
  test('that is refused has no body either', async () => {
    const answer = await passing.ask('/v1/images/nowhere', { method: 'HEAD' })
    assert.equal(answer.status, 404)
    assert.equal(answer.text, '')
    assert.equal((await passing.ask('/v1/nowhere', { method: 'HEAD' })).status, 404)
  })
})

describe('an answer', () => {
  test('that is large and slowly read is not held here', async () => {
    passing.page('/v1/images/endless', behaviours.endless())
    const answer = await passing.open('/v1/images/endless')
    answer.stream.pause()
    const [seen] = passing.asked('/v1/images/endless')
    let last = -1
    const held = await waitFor(
      () => {
        const still = seen!.bytesSent === last && last > 0
        last = seen!.bytesSent
        return still && last
      },
      { intervalMs: 1_000, timeoutMs: 30_000, what: 'the upstream to be held up' },
    )
    assert.ok(held < 32 * 1_024 * 1_024, `${held} bytes were taken`)
    let read = 0
    answer.stream.on('data', (chunk: Buffer) => (read += chunk.length))
    answer.stream.resume()
    await waitFor(() => read > held + 4 * 1_024 * 1_024, { what: 'it to go on', timeoutMs: 30_000 })
    answer.abort()
    const ended = await within(1_000, 'the end upstream', seen!.ended)
    assert.deepEqual([ended.finished, ended.cutByUs], [false, false])
  })

  test('begins before it is complete', async () => {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    passing.page('/v1/images/slow', async (exchange) => {
      exchange.head(200, { 'content-type': 'text/plain' })
      await released
      await exchange.writeWhole('late')
      exchange.end()
    })
    const answer = await within(5_000, 'the head', passing.open('/v1/images/slow'))
    assert.equal(answer.status, 200)
    release()
    assert.equal((await answer.rest()).body.toString(), 'late')
  })

  test('that is cut off is seen to be', async () => {
    for (const length of [{ 'content-length': 1_000 }, {}]) {
      passing.page('/v1/images/cut', async (exchange) => {
        exchange.head(200, { 'content-type': 'image/png', ...length })
        await exchange.writeWhole('half of it')
        await exchange.cut()
      })
      const answer = await passing.ask('/v1/images/cut')
      assert.equal(answer.status, 200)
      assert.equal(answer.complete, false)
      const record = await passing.guarded.record(answer)
      assert.equal(record.status, 'ERROR')
      assert.equal(record.attempts[0]!.errorClass, 'transport_error')
    }
  })

  test('that stands still is given up', async () => {
    passing.provider('sluggish', ['/v1/sluggish/*'], {
      timeouts: { ...DEFAULT_TIMEOUTS, idle: 300, total: 3_000 },
    })
    await passing.guarded.serve()
    passing.page('/v1/sluggish/idle', behaviours.huge(100_000, 'stall'))
    const idle = await within(10_000, 'the end', passing.ask('/v1/sluggish/idle'))
    assert.equal(idle.complete, false)
    const record = await passing.guarded.record(idle)
    assert.deepEqual([record.status, record.attempts[0]!.errorClass], ['TIMEOUT', 'idle_timeout'])

    passing.page('/v1/sluggish/silent', (exchange) => exchange.untilOver())
    const silent = await within(10_000, 'the answer', passing.ask('/v1/sluggish/silent'))
    assertError(silent, { status: 504, type: 'timeout_error', code: 'upstream_timeout' })
  })

  test('nobody waits for any more is let go', async () => {
    passing.page('/v1/images/abandoned', (exchange) => exchange.untilOver())
    const id = uniqueName('gone')
    const { request } = passing.begin('/v1/images/abandoned', { headers: { 'x-request-id': id } })
    const seen = await waitFor(() => passing.asked('/v1/images/abandoned')[0], { what: 'the request upstream' })
    request.destroy()
    const ended = await within(1_000, 'the end upstream', seen.ended)
    assert.deepEqual([ended.finished, ended.cutByUs], [false, false])
    const record = await passing.guarded.record({ headers: { 'x-request-id': id } })
    assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['CANCELLED', 499, 'client_cancelled'])
    assert.equal(record.usage.source, 'NONE')
  })
})
