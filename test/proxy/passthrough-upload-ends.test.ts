/** How uploads end that do not go their way: refused early, failed, awaited, given up. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { refuse } from '../helpers/upstream/failures.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
const AUDIO = '/v1/audio/transcriptions'
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=b' }
const TO = { 'x-millrace-provider': 'own-provider' }

before(async () => {
  passing = await startPassing()
  passing.guarded.addAlias('ears', {
    'first-ear': { priority: 0, providerModel: 'whisper-a' },
    'second-ear': { priority: 1, providerModel: 'whisper-b' },
  })
  passing.guarded.addAlias('half-reachable', {
    unreachable: { priority: 0, provider: { baseUrl: 'http://127.0.0.1:1/v1' } },
    reachable: { priority: 1 },
  })
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

describe('a refusal that comes early', () => {
  const early = behaviours.early(refuse(413, { message: 'too much for me' }))

  test('is passed on at once, and the connection goes on', async () => {
    passing.guarded.upstream.next(early)
    const { port } = new URL(passing.guarded.url)
    const socket = connect(Number(port), '127.0.0.1')
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
    socket.on('error', () => undefined)
    const authorization = `authorization: Bearer ${passing.guarded.token}`
    socket.write(
      `POST ${AUDIO} HTTP/1.1\r\nhost: x\r\n${authorization}\r\ncontent-type: multipart/form-data; boundary=b\r\n` +
        `x-millrace-provider: own-provider\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(10_000)}`,
    )
    await waitFor(() => got.includes('too much for me'), { what: 'the refusal' })
    assert.match(got, /^HTTP\/1\.1 413 /)
    // Who has sent the rest of it all the same has lost nothing.
    got = ''
    socket.write(`${'x'.repeat(90_000)}GET /v1/models HTTP/1.1\r\nhost: x\r\n${authorization}\r\n\r\n`)
    await waitFor(() => got.includes('"object":"list"'), { what: 'the next answer' })
    assert.match(got, /^HTTP\/1\.1 200 /)
    socket.destroy()
  })

  test('ends the connection of a client that goes on and on', { timeout: 30_000 }, async () => {
    passing.guarded.upstream.next(early)
    const headers = { ...MULTIPART, ...TO, 'content-length': String(1e12) }
    const { request, answer } = passing.begin(AUDIO, { method: 'POST', headers, open: true })
    request.on('error', () => undefined)
    request.write('x'.repeat(1_000))
    const { status } = await answer
    assert.equal(status, 413)
    await within(15_000, 'the end', new Promise((resolve) => request.once('close', resolve)))
  })

  test('is not tried elsewhere, since the body is gone', async () => {
    passing.guarded.upstream.next(Object.assign(refuse(503, { message: 'full' }), { beforeBody: true }))
    const answer = await passing.ask(`${AUDIO}?model=ears`, { method: 'POST', headers: MULTIPART, body: 'sound' })
    assert.equal(answer.status, 503)
    const { attempts } = await passing.guarded.record(answer)
    assert.equal(attempts.length, 1)
  })
})

describe('attempts', () => {
  test('go on while nothing was sent', async () => {
    passing.page(AUDIO, raw('{"text":"heard"}'))
    const target = `${AUDIO}?model=half-reachable`
    const answer = await passing.ask(target, { method: 'POST', headers: MULTIPART, body: 'sound' })
    assert.equal(answer.text, '{"text":"heard"}')
    assert.equal(passing.asked(AUDIO).at(-1)!.body.toString(), 'sound')
    const { attempts } = await passing.guarded.record(answer)
    assert.deepEqual(
      attempts.map(({ providerName, errorClass }) => [providerName, errorClass]),
      [
        ['unreachable', 'transport_error'],
        ['reachable', null],
      ],
    )
  })

  test('end once anything was', async () => {
    for (const [behaviour, status] of [
      [behaviours.reset(), 502],
      [refuse(500), 500],
      [refuse(429), 429],
    ] as const) {
      passing.page(AUDIO, behaviour)
      const asked = passing.asked(AUDIO).length
      const answer = await passing.ask(AUDIO, { method: 'POST', headers: { ...MULTIPART, ...TO }, body: 'sound' })
      assert.equal(answer.status, status)
      assert.equal(passing.asked(AUDIO).length, asked + 1)
    }
  })
})

test('a connection that breaks while the client still sends is not held against the provider', async () => {
  const { guarded } = passing
  passing.provider('brittle', ['/v1/brittle/*'], { breaker: { ...guarded.breaker, minRequests: 2 } })
  await guarded.serve()
  const headers = { ...MULTIPART, 'content-length': '1000' }
  for (let i = 0; i < 4; i++) {
    guarded.upstream.next(behaviours.early(behaviours.reset()))
    const { request, answer } = passing.begin('/v1/brittle/x', { method: 'POST', headers, open: true })
    request.write('x')
    assert.equal((await within(5_000, 'the answer', answer)).status, 502)
    request.destroy()
  }
  assert.equal(await passing.breakerOf('brittle'), '0')
})

describe('expect: 100-continue', () => {
  const expecting = { ...MULTIPART, ...TO, expect: '100-continue', 'content-length': '5' }
  const start = (headers: Record<string, string>, token?: string) => {
    const options = { method: 'POST', headers: { ...expecting, ...headers }, open: true }
    const begun = passing.begin(AUDIO, token === undefined ? options : { ...options, token })
    let told = false
    begun.request.on('continue', () => {
      told = true
      begun.request.end('sound')
    })
    begun.request.flushHeaders()
    return { ...begun, told: () => told }
  }

  test('has the body come when a provider is there to take it', async () => {
    passing.page(AUDIO, raw('{}'))
    const { answer, told } = start({})
    assert.equal((await within(5_000, 'the answer', answer)).status, 200)
    assert.ok(told())
    assert.equal(passing.asked(AUDIO).at(-1)!.body.toString(), 'sound')
  })

  test('has none come that is refused', async () => {
    for (const [headers, token, status] of [
      [{ 'x-millrace-provider': 'nobody' }, undefined, 400],
      [{ 'content-type': 'application/json', 'content-length': String(1e9) }, undefined, 413],
      [{}, 'sk-mr-nobody', 401],
    ] as const) {
      const { answer, told, request } = start(headers, token)
      assert.equal((await within(5_000, 'the answer', answer)).status, status)
      assert.equal(told(), false)
      request.destroy()
    }
  })

  test('holds for JSON, too', async () => {
    passing.page('/v1/moderations', raw('{}'))
    const { answer, told } = start({ 'content-type': 'application/json' })
    const { status } = await within(5_000, 'the answer', answer)
    // `sound` is none.
    assert.deepEqual([status, told()], [400, true])
  })
})

describe('places', () => {
  test('are given back, however it ends', async () => {
    const { guarded } = passing
    const limits = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: 1 }
    const token = guarded.addToken(null, { limits })
    passing.provider('narrow', ['/v1/narrow/*'], { maxConcurrency: 1 })
    await guarded.serve()
    const ask = () =>
      passing.ask('/v1/narrow/x', { method: 'POST', token: token.secret, headers: MULTIPART, body: 'x' })
    for (const behaviour of [raw('{}'), refuse(400), behaviours.reset(), behaviours.early(refuse(413))]) {
      passing.page('/v1/narrow/x', behaviour)
      if (behaviour.beforeBody) guarded.upstream.next(behaviour)
      await ask()
    }
    guarded.upstream.next(behaviours.early((exchange) => exchange.untilOver()))
    const options = { method: 'POST', token: token.secret, headers: { ...MULTIPART, 'content-length': '9' } }
    const asked = guarded.upstream.requests.length
    const { request } = passing.begin('/v1/narrow/x', { ...options, open: true })
    request.on('error', () => undefined)
    request.write('x')
    await guarded.upstream.seen(asked + 1)
    assertError(await ask(), { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
    request.destroy()
    passing.page('/v1/narrow/x', raw('{}'))
    await waitFor(async () => (await ask()).status === 200, { what: 'the place', timeoutMs: 10_000 })
  })
})
