/** Limits as a client meets them, with one proxy that counts by itself. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { CLIENT_CLOSED_REQUEST } from '@millrace/shared'

import { UPSTREAM_KEY } from '../helpers/configuration.ts'
import { open, type Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { codeOf, COST, EXACT, heldUntilRefused, Limited, messageOf, statuses } from './limits/limited.ts'

const scene = useScene({}, async ({ gateway, upstream }) => void (limited = new Limited(gateway, upstream)))
let limited: Limited

function many(count: number, chat: (i: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => chat(i)))
}

suite('a quota of requests', () => {
  test('lets 2 of 50 at once through, and tells the others for good', async () => {
    const { id, secret } = await limited.token({ maxRequests: 2 })
    const answers = await many(50, () => limited.chat(secret, scene.alias))
    assert.deepEqual(statuses(answers), { 200: 2, 429: 48 })
    const refused = answers.find(({ status }) => status === 429)!
    assert.equal(codeOf(refused), 'request_quota_exceeded')
    assert.equal(refused.headers['x-should-retry'], 'false')
    assert.equal(refused.headers['retry-after'], undefined)
    const record = await scene.gateway.record(refused.headers['x-request-id'] as string)
    assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['REJECTED', 429, 'request_quota_exceeded'])
    assert.equal(record.attempts.length, 0)
    await waitFor(async () => (await limited.spent(id)).requestCount === 2)
    const { headers } = await limited.chat(secret, scene.alias)
    assert.equal(headers['x-ratelimit-limit-requests'], undefined)
  })

  test('is not used up by what could not be sent', async () => {
    const provider = await scene.gateway.addProvider('http://127.0.0.1:1/v1')
    await scene.gateway.addAlias('nowhere', [{ provider }], { retry: { maxAttempts: 1 } })
    const { secret } = await limited.token({ maxRequests: 1, limits: { requestsPerMinute: 60 } })
    assert.equal((await limited.chat(secret, 'nowhere')).status, 502)
    assert.equal((await limited.chat(secret, 'no such model')).status, 404)
    const answer = await limited.chat(secret, scene.alias)
    assert.deepEqual([answer.status, answer.headers['x-ratelimit-remaining-requests']], [200, '59'])
    assert.equal((await limited.chat(secret, 'nowhere')).status, 429)
  })

  test('holds for requests alone that are relayed', async () => {
    const { secret } = await limited.token({ maxRequests: 1 })
    const headers = { authorization: `Bearer ${secret}` }
    for (let i = 0; i < 3; i++) assert.equal((await scene.gateway.fetch('/v1/models', { headers })).status, 200)
    assert.equal((await limited.chat(secret, scene.alias)).status, 200)
  })
})

suite('rates', () => {
  test('are told on every answer, and when to come again', async () => {
    const { secret } = await limited.token({ limits: { requestsPerMinute: 3, tokensPerMinute: 1_000 } })
    for (const remaining of ['2', '1', '0']) {
      const { status, headers } = await limited.chat(secret, scene.alias, { max_tokens: 100 })
      assert.deepEqual(
        [status, headers['x-ratelimit-limit-requests'], headers['x-ratelimit-remaining-requests']],
        [200, '3', remaining],
      )
      assert.match(headers['x-ratelimit-reset-requests'] as string, /^(\d+s|1m0s)$/)
      assert.equal(headers['x-ratelimit-limit-tokens'], '1000')
      assert.match(headers['x-ratelimit-reset-tokens'] as string, /^\d+(ms|s)$/)
    }
    const refused = await limited.chat(secret, scene.alias)
    assert.equal(refused.status, 429)
    assert.equal(codeOf(refused), 'rate_limit_exceeded')
    assert.match(messageOf(refused), /this API key is 3 requests per minute\. Try again in \d+ s\./)
    const seconds = Number(refused.headers['retry-after'])
    assert.ok(seconds >= 1 && seconds <= 20, `after ${seconds} s`)
    assert.ok(Math.ceil(Number(refused.headers['retry-after-ms']) / 1000) === seconds)
    assert.equal(refused.headers['x-ratelimit-remaining-requests'], '0')
    assert.equal(refused.headers['x-should-retry'], undefined)
  })

  test('of tokens are taken by estimate and settled by use', async () => {
    const { secret } = await limited.token({ limits: { tokensPerMinute: 1_000 } })
    const first = await limited.chat(secret, scene.alias, { max_tokens: 900 })
    assert.equal(first.status, 200)
    assert.ok(Number(first.headers['x-ratelimit-remaining-tokens']) < 100)
    const second = await limited.chat(secret, scene.alias, { max_completion_tokens: 450, n: 2 })
    assert.equal(second.status, 200, 'the first has used 26')
    const large = await limited.chat(secret, scene.alias, { max_tokens: 600, n: 2 })
    assert.equal(large.status, 429)
    assert.equal(large.headers['retry-after'], undefined)
    assert.equal(large.headers['x-should-retry'], 'false')
    assert.match(messageOf(large), /asks for 12\d\d tokens, .* is 1000 tokens per minute/)
  })

  test('of tokens count an image as an image, not as its letters', async () => {
    const { secret } = await limited.token({ limits: { tokensPerMinute: 5_000 } })
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(200_000)}` } }
    const audio = { type: 'input_audio', input_audio: { data: 'A'.repeat(200_000), format: 'wav' } }
    const messages = [{ role: 'user', content: [image, audio, { type: 'text', text: 'What is it?' }] }]
    const { status, headers } = await limited.chat(secret, scene.alias, { messages })
    assert.equal(status, 200)
    const remaining = Number(headers['x-ratelimit-remaining-tokens'])
    assert.ok(remaining > 2_800 && remaining < 3_000, `${remaining} remain`)
    const text = [{ role: 'user', content: 'A'.repeat(30_000) }]
    assert.equal((await limited.chat(secret, scene.alias, { messages: text })).status, 429)
  })

  test("are the project's, too: the one with the least left is told", async () => {
    const project = await limited.project({ limits: { requestsPerMinute: 4 } })
    const [one, two] = [
      await limited.token({ project }),
      await limited.token({ project, limits: { requestsPerMinute: 100 } }),
    ]
    for (const [secret, remaining] of [
      [one.secret, '3'],
      [two.secret, '2'],
      [one.secret, '1'],
      [two.secret, '0'],
    ] as const) {
      const { status, headers } = await limited.chat(secret, scene.alias)
      assert.deepEqual(
        [status, headers['x-ratelimit-limit-requests'], headers['x-ratelimit-remaining-requests']],
        [200, '4', remaining],
      )
    }
    const refused = await limited.chat(two.secret, scene.alias)
    assert.match(messageOf(refused), /the project of this API key is 4 requests/)
  })

  test('change, go and come with the configuration', async () => {
    const { id, secret } = await limited.token({ limits: { requestsPerMinute: 1 } })
    assert.equal((await limited.chat(secret, scene.alias)).status, 200)
    assert.equal((await limited.chat(secret, scene.alias)).status, 429)
    await limited.update(id, { limits: { requestsPerMinute: 3 } })
    assert.equal((await limited.chat(secret, scene.alias)).status, 200)
    await limited.update(id, { limits: { requestsPerMinute: null } })
    const answers = await many(10, () => limited.chat(secret, scene.alias))
    assert.deepEqual(statuses(answers), { 200: 10 })
    assert.equal(answers[0]!.headers['x-ratelimit-limit-requests'], undefined)
    await waitFor(async () => (await limited.spent(id)).requestCount === 12)
    await limited.update(id, { maxRequests: 5 })
    assert.equal((await limited.chat(secret, scene.alias)).status, 429, 'what it has used before counts')
  })
})

suite('concurrency', () => {
  /** The place is free again once this has ended. */
  async function freed(secret: string): Promise<void> {
    const answer = await waitFor(
      async () => {
        const { status, headers } = await limited.chat(secret, scene.alias)
        return status === 429 ? null : { status, headers }
      },
      { what: 'the place to be free', timeoutMs: 10_000 },
    )
    assert.equal(answer.status, 200)
  }

  test('is refused beyond, with a second to wait', async () => {
    const { behaviour, refusing } = heldUntilRefused(7)
    const alias = await limited.priced(behaviour)
    const { secret } = await limited.token({ limits: { maxConcurrent: 3 } })
    const answers = await many(10, () => refusing(limited.chat(secret, alias)))
    assert.deepEqual(statuses(answers), { 200: 3, 429: 7 })
    const refused = answers.find(({ status }) => status === 429)!
    assert.deepEqual([codeOf(refused), refused.headers['retry-after']], ['rate_limit_exceeded', '1'])
    assert.match(messageOf(refused), /3 requests at once/)
    await freed(secret)
  })

  const timeouts = { firstToken: 300, idle: 300, total: 2_000 }
  for (const [what, behaviour, body] of [
    ['an answer', behaviours.answer(), {}],
    ['a stream', behaviours.answer(), { stream: true }],
    ['a refusal', behaviours.badRequest(), {}],
    ['failures', behaviours.serverError(), {}],
    ['a connection that breaks', behaviours.reset(), {}],
    ['an answer that is none', behaviours.html(), {}],
    ['a stream that is cut', behaviours.cutOff('mid-body'), { stream: true }],
    ['an error in a stream', behaviours.errorEventLater(), { stream: true }],
    ['a stream without content in time', behaviours.stall('after-headers'), { stream: true }],
    ['a stream that stops', behaviours.stall('mid-body'), { stream: true }],
    ['no answer in time', behaviours.stall('before-headers'), {}],
  ] as const) {
    test(`is free again after ${what}`, async () => {
      const alias = await limited.priced(behaviour, { timeouts, retry: { maxAttempts: 2, initialBackoffMs: 1 } })
      const { secret } = await limited.token({ limits: { maxConcurrent: 1 } })
      assert.notEqual((await limited.chat(secret, alias, body)).status, 429)
      assert.equal((await limited.chat(secret, scene.alias)).status, 200, 'at once, when the answer has ended')
    })
  }

  test('is free again once the client has gone, before the answer and in it', async () => {
    const { secret } = await limited.token({ limits: { maxConcurrent: 1 } })
    for (const point of ['before-headers', 'mid-body'] as const) {
      const alias = await limited.priced(behaviours.stall(point))
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
      const body = JSON.stringify({ model: alias, stream: true, messages: [{ role: 'user', content: 'Hi' }] })
      const seen = scene.upstream.requests.length
      const signal = new AbortController()
      const going = fetch(scene.chatUrl, { method: 'POST', headers, body, signal: signal.signal })
      going.catch(() => undefined)
      await scene.upstream.seen(seen + 1)
      if (point === 'mid-body') await going
      assert.equal((await limited.chat(secret, scene.alias)).status, 429)
      signal.abort()
      await freed(secret)
    }
  })
})

suite('budgets', () => {
  test('let no more through than they have room for, though 200 come at once', async () => {
    const alias = await limited.priced(behaviours.answer({ afterMs: 200 }))
    const { id, secret } = await limited.token({ budget: { limitUsd: '0.1', period: 'DAY' } })
    const answers = await many(200, () => limited.chat(secret, alias, EXACT))
    const fits = Math.floor(0.1 / COST)
    assert.deepEqual(statuses(answers), { 200: fits, 429: 200 - fits })
    const refused = answers.find(({ status }) => status === 429)!
    assert.equal(codeOf(refused), 'budget_exceeded')
    assert.equal(refused.headers['x-should-retry'], 'false')
    const midnight = (new Date().setUTCHours(24, 0, 0, 0) - Date.now()) / 1_000
    assert.ok(Math.abs(Number(refused.headers['retry-after']) - midnight) < 60)
    const { budget } = await waitFor(async () => {
      const spent = await limited.spent(id)
      return spent.requestCount === fits && spent
    })
    assert.equal(budget!.spentUsd, '0.098')
  })

  test('get back what was reserved and not used', async () => {
    const alias = await limited.priced(behaviours.answer())
    const { secret } = await limited.token({ budget: { limitUsd: '1', period: 'TOTAL' } })
    for (let i = 0; i < 20; i++) assert.equal((await limited.chat(secret, alias, { max_tokens: 800 })).status, 200)
    const refused = await limited.chat(secret, alias, { max_tokens: 900 })
    assert.equal(codeOf(refused), 'budget_exceeded')
    assert.equal(refused.headers['retry-after'], undefined)
    assert.match(messageOf(refused), /^The total budget of this API key has no room for this request/)
    assert.equal((await limited.chat(secret, alias, { max_tokens: 800 })).status, 200)
  })

  test("of a project hold for all of its tokens, and a client's own key costs nothing", async () => {
    const alias = await limited.priced(behaviours.answer())
    const project = await limited.project({ budget: { limitUsd: '0.01', period: 'MONTH' } })
    const tokens = await Promise.all([0, 1].map(() => limited.token({ project, access: { ownKeys: true } })))
    const answers = await many(20, (i) => limited.chat(tokens[i % 2]!.secret, alias, EXACT))
    assert.deepEqual(statuses(answers), { 200: 1, 429: 19 })
    const own = { 'x-millrace-upstream-key': UPSTREAM_KEY }
    assert.equal((await limited.chat(tokens[0]!.secret, alias, { max_tokens: 900 }, own)).status, 200)
  })

  test('of nothing admit what costs nothing', async () => {
    const alias = await limited.priced(behaviours.answer())
    const { secret } = await limited.token({ budget: { limitUsd: '0', period: 'TOTAL' } })
    assert.equal((await limited.chat(secret, alias, EXACT)).status, 429)
    assert.equal((await limited.chat(secret, alias)).status, 429, 'its input is free, its output is not')
    assert.equal((await limited.chat(secret, scene.alias)).status, 200, 'its price is not known')
  })

  test('count what a client has used that went', async () => {
    const alias = await limited.priced(behaviours.stall('mid-body'))
    const { id, secret } = await limited.token({ budget: { limitUsd: '1', period: 'TOTAL' } })
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ model: alias, stream: true, messages: [{ role: 'user', content: 'Hi' }] })
    {
      using answer = await open(scene.chatUrl, { headers, body })
      await answer.until('Hello')
      await sleep(50)
    }
    const { budget } = await waitFor(async () => {
      const spent = await limited.spent(id)
      return spent.requestCount === 1 && spent
    })
    assert.ok(Number(budget!.spentUsd) > 0)
    const { requests } = await scene.gateway.control.gql<{
      requests: { edges: { node: { httpStatus: number; costUsd: string } }[] }
    }>('query ($id: ID!) { requests(filter: { token: $id }, first: 5) { edges { node { httpStatus costUsd } } } }', {
      id,
    })
    assert.deepEqual(
      requests.edges.map(({ node }) => [node.httpStatus, node.costUsd]),
      [[CLIENT_CLOSED_REQUEST, budget!.spentUsd]],
    )
  })
})

test('/readyz says where limits are counted', async () => {
  const response = await fetch(`${scene.gateway.proxy.url}/readyz`)
  assert.equal(((await response.json()) as { limits: string }).limits, 'local')
})
