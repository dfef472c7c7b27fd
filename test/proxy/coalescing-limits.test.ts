/** Requests that share a call: each has its own rights, limits and end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError, assertErrorBody } from '../helpers/error-shape.ts'
import { startGateway, uniqueName } from '../helpers/gateway.ts'
import type { OpenAnswer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { addCached, joining, numbered, outcomeOf, outcomes, recordOf, type Cached } from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'
import { Limited } from './limits/limited.ts'

const scene = useScene(
  { proxyEnv: { MILLRACE_REVOKED_STREAMS: 'cut' } },
  async ({ gateway, upstream }) => void (limited = new Limited(gateway, upstream)),
)
let limited: Limited
const STREAM = { stream: true }
const SHARED = { enabled: true, coalesce: true, shareAcrossProject: true }

async function openAt(cached: Cached, word: string, token?: string): Promise<OpenAnswer> {
  const answer = await cached.open(STREAM, token === undefined ? {} : { token })
  assert.equal(answer.status, 200)
  await within(10_000, word, answer.until(word))
  return answer
}

async function endOf(answer: OpenAnswer): Promise<string> {
  const { body, complete } = await within(20_000, 'the end', answer.rest())
  assert.ok(complete)
  return body.toString()
}

function revoke(id: string): Promise<unknown> {
  return scene.gateway.control.gql('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id })
}

describe('a token that is revoked cuts off its own requests alone', () => {
  for (const who of ['first', 'second'] as const) {
    test(`of the ${who} caller`, async () => {
      const spoken = new Spoken()
      const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: SHARED })
      const tokens = [await limited.token({}), await limited.token({})] as const
      spoken.say('one')
      const answers = [await openAt(cached, 'one', tokens[0].secret), await openAt(cached, 'one', tokens[1].secret)]
      assert.deepEqual(answers.map(outcomeOf), ['MISS', 'COALESCED'])
      const at = who === 'first' ? 0 : 1
      await revoke(tokens[at].id)
      const cut = await endOf(answers[at]!)
      assert.doesNotMatch(cut, /\[DONE\]/)
      const last = cut
        .trim()
        .split('\n\n')
        .at(-1)!
        .replace(/^data: /, '')
      assertErrorBody(last, { type: 'authentication_error', code: 'token_revoked' })
      spoken.say('two')
      spoken.end()
      assert.match(await endOf(answers[1 - at]!), /two.*\[DONE\]\n\n$/s)
      assert.equal(cached.calls, 1)
      const [gone, served] = [
        await recordOf(scene.gateway, answers[at]!),
        await recordOf(scene.gateway, answers[1 - at]!),
      ]
      assert.deepEqual([gone.errorClass, gone.status, gone.usage.billed], ['token_revoked', 'ERROR', false])
      assert.deepEqual([served.status, served.attempts.length, served.usage.billed], ['SUCCESS', 1, true])
    })
  }

  test('before there is an answer', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const behaviour = behaviours.onceReleased(promise, numbered())
    const cached = await addCached(scene, { behaviour, cache: SHARED })
    const [one, two] = [await limited.token({}), await limited.token({})]
    const first = cached.ask({}, { token: one.secret })
    await waitFor(() => cached.calls === 1)
    const [second] = await joining(scene.gateway.proxy, 1, () => [cached.ask({}, { token: two.secret })])
    await revoke(one.id)
    assertError(await within(10_000, 'the refusal', first), {
      status: 401,
      type: 'authentication_error',
      code: 'token_revoked',
    })
    resolve()
    assert.equal((await second).status, 200)
    assert.equal(cached.calls, 1)
  })

  test('of all callers: the provider is let go', async () => {
    const spoken = new Spoken()
    const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: SHARED })
    const tokens = [await limited.token({}), await limited.token({})] as const
    spoken.say('one')
    const answers = [await openAt(cached, 'one', tokens[0].secret), await openAt(cached, 'one', tokens[1].secret)]
    for (const { id } of tokens) await revoke(id)
    for (const answer of answers) assert.match(await endOf(answer), /"token_revoked"/)
    const { finished } = await within(10_000, 'the end of the upstream', cached.seen[0]!.ended)
    assert.equal(finished, false)
  })
})

test('a token that is revoked cuts off an answer that is given again with its pauses', async () => {
  const spoken = new Spoken()
  const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: { replayPace: 'RECORDED' } })
  const { id, secret } = await limited.token({})
  const first = cached.ask(STREAM, { token: secret })
  spoken.say('one')
  // So long may the revocation take to come.
  await sleep(6_000)
  spoken.say('two')
  spoken.end()
  assert.equal((await first).status, 200)
  const answer = await openAt(cached, 'one', secret)
  assert.equal(outcomeOf(answer), 'HIT')
  await revoke(id)
  const cut = await endOf(answer)
  assert.match(cut, /"token_revoked"/)
  assert.doesNotMatch(cut, /\[DONE\]|"two"/)
  const { status, errorClass, cache, usage, costUsd } = await recordOf(scene.gateway, answer)
  assert.deepEqual([status, errorClass, cache, usage.billed], ['ERROR', 'token_revoked', 'HIT', false])
  assert.equal(Number(costUsd), 0)
})

describe('limits', { concurrency: true }, () => {
  test('of a request that would share a call refuse it as any other', async () => {
    const spoken = new Spoken()
    const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: SHARED })
    const { id, secret } = await limited.token({ limits: { requestsPerMinute: 1 } })
    spoken.say('one')
    const first = await openAt(cached, 'one')
    const second = await openAt(cached, 'one', secret)
    assert.equal(second.headers['x-ratelimit-remaining-requests'], '0')
    const refused = await cached.ask(STREAM, { token: secret })
    assertError(refused, { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
    spoken.end()
    for (const answer of [first, second]) assert.match(await endOf(answer), /\[DONE\]/)
    await waitFor(async () => (await limited.spent(id)).requestCount === 1)
  })

  test('are those of each caller: a place until its own answer has ended, tokens and money of who pays alone', async () => {
    const spoken = new Spoken()
    const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: SHARED })
    const budget = { limitUsd: '1', period: 'TOTAL' } as const
    const [payer, other] = [
      await limited.token({ budget, limits: { maxConcurrent: 1 } }),
      await limited.token({ budget, limits: { maxConcurrent: 1, tokensPerMinute: 5_000 } }),
    ]
    spoken.say('one')
    const answers = [await openAt(cached, 'one', payer.secret), await openAt(cached, 'one', other.secret)] as const
    assert.equal((await cached.ask({ seed: 1 }, { token: other.secret })).status, 429, 'its place is taken')
    spoken.end()
    for (const answer of answers) await endOf(answer)
    const { headers } = await cached.outcome('HIT', STREAM, { token: other.secret })
    assert.ok(Number(headers['x-ratelimit-remaining-tokens']) > 3_000)
    await waitFor(async () => (await limited.spent(other.id)).requestCount === 2)
    await waitFor(async () => Number((await limited.spent(payer.id)).budget!.spentUsd) > 0)
    assert.equal(Number((await limited.spent(other.id)).budget!.spentUsd), 0)
  })

  test('of models: who may not use it shares nothing', async () => {
    const spoken = new Spoken()
    const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: SHARED })
    const { secret } = await limited.token({ access: { models: ['another'] } })
    spoken.say('one')
    const first = await openAt(cached, 'one')
    assertError(await cached.ask(STREAM, { token: secret }), {
      status: 403,
      type: 'permission_error',
      code: 'model_not_allowed',
      param: 'model',
    })
    spoken.end()
    await endOf(first)
  })
})

describe('SIGTERM', () => {
  test('lets all who share a call have its end, and no record is lost', async () => {
    await using upstream = await startUpstream()
    await using gateway = await startGateway()
    const spoken = new Spoken()
    const cached = await addCached({ gateway, upstream }, { behaviour: spoken.behaviour, cache: SHARED })
    spoken.say('one')
    const answers = []
    const ids = Array.from({ length: 10 }, () => uniqueName('drained'))
    for (const id of ids) answers.push(await cached.open(STREAM, { headers: { 'x-request-id': id } }))
    for (const answer of answers) await answer.until('one')
    assert.deepEqual(outcomes(answers), { MISS: 1, COALESCED: 9 })
    gateway.proxy.signal('SIGTERM')
    await waitFor(async () => (await cached.ask({ seed: 1 })).status === 503)
    // Who paid goes while the process drains.
    answers[0]!.abort()
    spoken.say('two')
    spoken.end()
    for (const answer of answers.slice(1)) assert.match(await endOf(answer), /two.*\[DONE\]\n\n$/s)
    const exit = await within(20_000, 'the end of the process', gateway.proxy.exited)
    assert.deepEqual(exit, { code: 0, signal: null })
    await gateway.assertOneRecordEach(ids)
  })

  test('cuts off all who share a call that takes too long', async () => {
    await using upstream = await startUpstream()
    await using gateway = await startGateway({ proxyEnv: { MILLRACE_DRAIN_SECONDS: '1' } })
    const cached = await addCached({ gateway, upstream }, { behaviour: behaviours.stall('mid-body'), cache: SHARED })
    const ids = Array.from({ length: 5 }, () => uniqueName('abandoned'))
    const answers = []
    for (const id of ids) answers.push(await cached.open(STREAM, { headers: { 'x-request-id': id } }))
    for (const answer of answers) await answer.until('from')
    gateway.proxy.signal('SIGTERM')
    for (const answer of answers) {
      const { body } = await within(20_000, 'the end', answer.rest())
      assert.match(body.toString(), /"code":"shutting_down"/)
    }
    const exit = await within(20_000, 'the end of the process', gateway.proxy.exited)
    assert.deepEqual(exit, { code: 0, signal: null })
    await gateway.assertOneRecordEach(ids)
  })
})
