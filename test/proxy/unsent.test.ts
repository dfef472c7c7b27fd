/** Requests that one of an alias's providers cannot be asked: what only an API that keeps responses can do. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { DEFAULT_RETRY, DEFAULT_STICKY, newId } from '@millrace/shared'

import type { Answer } from '../helpers/http.ts'
import { ownCredential, useOwnProxy } from '../helpers/own-proxy.ts'
import { OwnSnapshot, ownAlias, ownProvider, ownRoute } from '../helpers/own-snapshot.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { refusalIn } from './dialects/error-forms.ts'
import { speaking } from './dialects/provider.ts'

const own = useOwnProxy((origin) => {
  const baseUrl = `${origin}/v1`
  const native = ownProvider({
    name: 'native',
    kind: 'OPENAI',
    baseUrl,
    forcedBreaker: 'FORCED_CLOSED',
    credentials: [ownCredential()],
  })
  const narrow = { ...native, id: newId(), name: 'narrow', maxConcurrency: 1 }
  const chat = ownProvider({ name: 'chat', baseUrl, maxConcurrency: 1 })
  const retry = { ...DEFAULT_RETRY, maxAttempts: 2, initialBackoffMs: 1 }
  return new OwnSnapshot(
    [native, narrow, chat],
    [
      ownAlias({ name: 'chat-alone', routes: [ownRoute({ providerId: chat.id })], retry }),
      ownAlias({
        name: 'chat-second',
        routes: [ownRoute({ providerId: native.id }), ownRoute({ providerId: chat.id, priority: 1 })],
        retry,
      }),
      ownAlias({ name: 'narrow', routes: [ownRoute({ providerId: narrow.id })], retry }),
      ownAlias({
        name: 'narrow-second',
        routes: [ownRoute({ providerId: chat.id }), ownRoute({ providerId: narrow.id, priority: 1 })],
        retry,
      }),
      ownAlias({
        name: 'sticky',
        routes: [ownRoute({ providerId: native.id }), ownRoute({ providerId: chat.id })],
        sticky: { ...DEFAULT_STICKY, scope: 'USER' },
        retry,
      }),
    ],
  )
})
function ask(model: string, body: object = {}, more?: Readonly<Record<string, string>>): Promise<Answer> {
  own.upstream.otherwise = speaking()
  return own.post('/v1/responses', { model, input: 'x', ...body }, more)
}

const KEPT = { previous_response_id: 'resp_1' }

describe('a provider that cannot be asked', () => {
  test('is none the worse for it, however often, and nothing was used', async () => {
    const asked = own.upstream.requests.length
    for (let i = 0; i < 24; i++) {
      const { status, text } = await ask('chat-alone', KEPT)
      const { error } = JSON.parse(text)
      assert.deepEqual([status, error.code, error.param], [400, 'unsupported_endpoint', 'previous_response_id'])
    }
    assert.equal(own.upstream.requests.length, asked)
    const answer = await ask('chat-alone')
    assert.equal(answer.status, 200, answer.text)
    const records = await waitFor(
      () => {
        const found = own.control.records.filter(({ errorClass }) => errorClass === 'unsupported_endpoint')
        return found.length === 24 && found
      },
      { what: 'the records' },
    )
    const said = records.map(({ status, usage }) => `${status} ${usage.source}`)
    assert.deepEqual(new Set(said), new Set(['REJECTED NONE']))
  })

  test('does not stand in the way of another that can', async () => {
    own.upstream.next(refusalIn('responses', 500))
    const answer = await ask('chat-second', KEPT)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.headers['x-millrace-provider'], 'native')
    const { attempts } = await own.recordOf(answer)
    assert.deepEqual(
      attempts.map(({ errorClass }) => errorClass),
      ['upstream_5xx', 'unsupported_endpoint', null],
    )
  })

  test('is not what a client hears of where another has failed', async () => {
    own.upstream.next(refusalIn('responses', 500), refusalIn('responses', 500))
    const { status, text } = await ask('chat-second', KEPT)
    own.upstream.expectNothing()
    assert.deepEqual([status, JSON.parse(text).error.code], [502, 'all_routes_failed'])
  })

  test('does not hurry those that wait for a place at another', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const asked = own.upstream.requests.length
    own.upstream.next(behaviours.onceReleased(released, speaking()))
    const first = ask('narrow')
    await own.upstream.seen(asked + 1)
    const second = ask('narrow-second', KEPT)
    const waiting = waitFor(
      async () => {
        const { text } = await own.get('/metrics')
        return /^millrace_in_flight 2$/m.test(text)
      },
      { what: 'both to be under way' },
    )
    await Promise.race([second, waiting])
    release()
    const answers = await Promise.all([first, second])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    assert.equal(answers[1].headers['x-millrace-provider'], 'narrow')
  })

  test('is not what a client hears of where others are full', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const asked = own.upstream.requests.length
    own.upstream.next(behaviours.onceReleased(released, speaking()))
    const first = ask('narrow')
    await own.upstream.seen(asked + 1)
    const { status, text } = await ask('narrow-second', KEPT)
    release()
    assert.deepEqual([status, JSON.parse(text).error.code], [503, 'provider_at_capacity'])
    assert.equal((await first).status, 200)
  })

  test('keeps those who are bound to it', async () => {
    const providerOf = async (user: string, body?: object): Promise<unknown> =>
      (await ask('sticky', body, { 'x-millrace-user': user })).headers['x-millrace-provider']
    let bound: string | null = null
    // That all go to the other of two equal routes is less likely than an error in this machine.
    for (let i = 0; i < 64 && bound === null; i++) if ((await providerOf(`u${i}`)) === 'chat') bound = `u${i}`
    assert.ok(bound)
    assert.equal(await providerOf(bound, KEPT), 'native')
    assert.equal(await providerOf(bound), 'chat')
  })
})
