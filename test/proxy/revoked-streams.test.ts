/** What becomes of running requests when their token, or its project, may not be used any more. */
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError, assertErrorBody } from '../helpers/error-shape.ts'
import { begin, open, send, type OpenAnswer } from '../helpers/http.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { writeFramed } from '../helpers/upstream/answers.ts'
import { behaviours, completionEvents, WORDS } from '../helpers/upstream/behaviours.ts'
import { unhurried, within } from '../helpers/wait.ts'
import { bearer, startGuarded, type Guarded, type Token } from './access/guarded.ts'

/** A stream that says its first word, and the others once it is released. */
function held(release: Promise<void>): Behaviour {
  return async (exchange) => {
    const [role, word, ...rest] = completionEvents(exchange.seen.model ?? '', exchange.wantsUsage)
    exchange.head(200, { 'content-type': 'text/event-stream' })
    await writeFramed(exchange, [role!, word!], { done: null })
    await Promise.race([release, exchange.untilOver()])
    await writeFramed(exchange, rest, {})
    if (!exchange.signal.aborted) exchange.end()
  }
}

/** A stream of this token, of which the first word has come. */
async function stream(guarded: Guarded, token: Token, release: Promise<void>): Promise<OpenAnswer> {
  guarded.upstream.next(held(release))
  const body = JSON.stringify(guarded.body({ stream: true }))
  const answer = await open(guarded.chatUrl, { headers: guarded.headers(bearer(token)), body })
  await answer.until(WORDS[0]!)
  return answer
}

const REVOCATIONS: readonly [string, string, number, (guarded: Guarded, token: Token) => void][] = [
  ['a token that is revoked', 'token_revoked', 401, (guarded, { id }) => guarded.changeToken(id, { revoked: true })],
  [
    'a token that is gone',
    'token_revoked',
    401,
    (guarded, { id }) => guarded.change(({ tokens }) => ({ tokens: tokens.filter((token) => token.id !== id) })),
  ],
  [
    'a token whose end was set to before now',
    'token_expired',
    401,
    (guarded, { id }) => guarded.changeToken(id, { expiresAt: new Date(Date.now() - 1_000).toISOString() }),
  ],
  [
    'a project that was deactivated',
    'project_inactive',
    403,
    (guarded, { id }) => {
      const project = { ...guarded.projectOf(id), active: false }
      guarded.change(({ projects }) => ({ projects: projects.map((one) => (one.id === project.id ? project : one)) }))
    },
  ],
]

const typeOf = (status: number): string => (status === 403 ? 'permission_error' : 'authentication_error')

describe('cut', () => {
  let guarded: Guarded
  before(async () => {
    guarded = await startGuarded({ MILLRACE_REVOKED_STREAMS: 'cut' })
  })
  after(() => guarded[Symbol.asyncDispose]())

  for (const [name, code, status, revoke] of REVOCATIONS) {
    test(`${name}: its stream ends with an error event, and others go on`, async () => {
      const [token, other] = [guarded.addTokenOfOwnProject(), guarded.addToken(null)]
      await guarded.serve()
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      const [answer, untouched] = [await stream(guarded, token, released), await stream(guarded, other, released)]
      const upstream = guarded.upstream.requests.at(-2)!
      revoke(guarded, token)
      await guarded.serve()
      const { body, complete } = await within(10_000, 'the end of the stream', answer.rest())
      assert.ok(complete, 'the response itself is whole')
      const events = body.toString().trim().split('\n\n')
      assertErrorBody(events.at(-1)!.replace(/^data: /, ''), { type: typeOf(status), code })
      assert.doesNotMatch(body.toString(), /\[DONE\]/)
      const { finished } = await within(10_000, 'the end of the upstream', upstream.ended)
      assert.equal(finished, false, 'it was let go')
      const record = await guarded.record(answer)
      assert.deepEqual(
        [record.status, record.errorClass, record.httpStatus, record.tokenId, record.usage.source],
        ['ERROR', code, 200, token.id, 'ESTIMATED'],
      )
      assert.deepEqual(
        record.attempts.map(({ errorClass }) => errorClass),
        ['admin_cancelled'],
      )
      release()
      const rest = await within(10_000, 'the end of the other stream', untouched.rest())
      assert.match(rest.body.toString(), /\[DONE\]/)
    })

    test(`${name}: an answer of which nothing was sent is the error`, async () => {
      const token = guarded.addTokenOfOwnProject()
      await guarded.serve()
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      const asked = guarded.upstream.requests.length
      guarded.upstream.next(behaviours.onceReleased(released, behaviours.answer()))
      const answered = guarded.chat({}, bearer(token))
      await guarded.upstream.seen(asked + 1)
      revoke(guarded, token)
      await guarded.serve()
      const answer = await within(10_000, 'the answer', answered)
      release()
      assertError(answer, { status, type: typeOf(status), code })
      const record = await guarded.record(answer)
      assert.deepEqual([record.status, record.errorClass, record.httpStatus], ['ERROR', code, status])
    })
  }

  test('a token whose time is over by the clock', async () => {
    await unhurried(4_000, async (milliseconds, late) => {
      const expiresAt = Date.now() + milliseconds
      const token = guarded.addToken(null, { expiresAt: new Date(expiresAt).toISOString() })
      await guarded.serve()
      late(Date.now() > expiresAt - milliseconds / 2)
      const answer = await stream(guarded, token, new Promise(() => undefined))
      const { body: rest } = await within(milliseconds + 16_000, 'the end of the stream', answer.rest())
      assert.match(rest.toString(), /"code":"token_expired"/)
    })
  })

  test('with x-millrace-sync, while a body is still being sent, and while a place is waited for', async () => {
    const token = guarded.addToken(null)
    guarded.addAlias('narrow', { 'of-one-place': { provider: { maxConcurrency: 1 } } })
    await guarded.serve()
    const headers = guarded.headers(bearer(token))
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const asked = guarded.upstream.requests.length
    guarded.upstream.next(behaviours.onceReleased(released, behaviours.answer()))
    guarded.upstream.next(behaviours.onceReleased(released, behaviours.answer()))
    const blocking = guarded.chat({ model: 'narrow' })
    await guarded.upstream.seen(asked + 1)
    const synced = guarded.chat({}, { ...bearer(token), 'x-millrace-sync': 'true' })
    await guarded.upstream.seen(asked + 2)
    const waiting = send(guarded.chatUrl, { headers, body: JSON.stringify(guarded.body({ model: 'narrow' })) })
    const sending = begin(guarded.chatUrl, { headers })
    sending.request.write('{"model":')
    // Both have no effect that could be waited for.
    await sleep(300)
    guarded.changeToken(token.id, { revoked: true })
    await guarded.serve()
    const expected = { status: 401, type: 'authentication_error', code: 'token_revoked' }
    assertError(await within(10_000, 'the answer that waits for its record', synced), expected)
    const half = await within(10_000, 'the answer to half a body', sending.answer)
    const { body } = await half.rest()
    assertError({ status: half.status, headers: half.headers, text: body.toString() }, expected)
    sending.request.destroy()
    assertError(await within(10_000, 'the answer to one that waits', waiting), expected)
    release()
    assert.equal((await blocking).status, 200)
    assert.equal((await guarded.chat({ model: 'narrow' })).status, 200, 'the place is free again')
  })
})

describe('a body that is still being sent', () => {
  const half = (guarded: Guarded): readonly [string, string] => {
    const body = JSON.stringify(guarded.body())
    return [body.slice(0, 20), body.slice(20)]
  }

  test('holds nothing of its limits once it was answered', async () => {
    await using guarded = await startGuarded({ MILLRACE_REVOKED_STREAMS: 'cut' })
    const limits = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: 1 }
    const token = guarded.addToken(null, { limits })
    await guarded.serve()
    const asked = guarded.upstream.requests.length
    const headers = guarded.headers(bearer(token))
    const [beginning, rest] = half(guarded)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const sending = begin(guarded.chatUrl, { headers, agent })
    sending.request.write(beginning)
    // Its arrival has no effect that could be waited for.
    await sleep(300)
    guarded.changeToken(token.id, { revoked: true })
    await guarded.serve()
    const answer = await within(10_000, 'the answer to half a body', sending.answer)
    assert.equal(answer.status, 401)
    sending.request.end(rest)
    await answer.rest()
    guarded.changeToken(token.id, { revoked: false })
    await guarded.serve()
    // On the same connection: what was sent before has been read.
    const next = begin(guarded.chatUrl, { headers, agent })
    next.request.end(beginning + rest)
    const { status } = await within(10_000, 'the next answer', next.answer)
    agent.destroy()
    assert.deepEqual([status, next.request.reusedSocket], [200, true])
    assert.equal(guarded.upstream.requests.length, asked + 1)
  })

  describe('is not relayed', () => {
    let guarded: Guarded
    before(async () => {
      guarded = await startGuarded()
    })
    after(() => guarded[Symbol.asyncDispose]())

    for (const [name, code, status, revoke] of REVOCATIONS) {
      test(`for ${name}`, async () => {
        const token = guarded.addTokenOfOwnProject()
        await guarded.serve()
        const asked = guarded.upstream.requests.length
        const [beginning, rest] = half(guarded)
        const sending = begin(guarded.chatUrl, { headers: guarded.headers(bearer(token)) })
        sending.request.write(beginning)
        await sleep(300)
        revoke(guarded, token)
        await guarded.serve()
        sending.request.end(rest)
        const answer = await within(10_000, 'the answer', sending.answer)
        const { body } = await answer.rest()
        assert.equal(answer.status, status, body.toString())
        assertErrorBody(body.toString(), { type: typeOf(status), code })
        assert.equal(guarded.upstream.requests.length, asked)
        const record = await guarded.record(answer)
        assert.deepEqual([record.status, record.errorClass, record.tokenId], ['REJECTED', code, token.id])
      })
    }

    test('for a token whose time is over by the clock', async () => {
      await unhurried(3_000, async (milliseconds, late) => {
        const expiresAt = Date.now() + milliseconds
        const token = guarded.addToken(null, { expiresAt: new Date(expiresAt).toISOString() })
        await guarded.serve()
        late(Date.now() > expiresAt - milliseconds / 2)
        const [beginning, rest] = half(guarded)
        const sending = begin(guarded.chatUrl, { headers: guarded.headers(bearer(token)) })
        sending.request.write(beginning)
        await sleep(expiresAt + 50 - Date.now())
        sending.request.end(rest)
        const { body } = await (await within(10_000, 'the answer', sending.answer)).rest()
        assertErrorBody(body.toString(), { type: 'authentication_error', code: 'token_expired' })
      })
    })
  })
})

describe('finish', () => {
  test('is the default: the stream goes on to its end, and the next request is refused', async () => {
    await using guarded = await startGuarded()
    const token = guarded.addToken(null)
    await guarded.serve()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const answer = await stream(guarded, token, released)
    guarded.changeToken(token.id, { revoked: true })
    await guarded.serve()
    const expected = { status: 401, type: 'authentication_error', code: 'token_revoked' }
    assertError(await guarded.chat({}, bearer(token)), expected)
    release()
    const { body } = await within(10_000, 'the end of the stream', answer.rest())
    assert.match(body.toString(), /\[DONE\]/)
    assert.equal((await guarded.record(answer)).status, 'SUCCESS')
  })
})
