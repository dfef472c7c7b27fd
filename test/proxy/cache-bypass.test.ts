/** Requests that go past the cache, and what limits and rights mean to those that do not. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { UPSTREAM_KEY } from '../helpers/configuration.ts'
import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { waitFor } from '../helpers/wait.ts'
import { addCached, numbered, outcomeOf, recordOf, type Asking } from './cache/caching.ts'
import { codeOf, Limited } from './limits/limited.ts'

const scene = useScene({}, async ({ gateway, upstream }) => void (limited = new Limited(gateway, upstream)))
let limited: Limited
const SHARED = { cache: { shareAcrossProject: true } }

describe('the cache is not asked', { concurrency: true }, () => {
  test('where an alias has none', async () => {
    for (let i = 0; i < 2; i++) {
      const answer = await scene.chat(scene.body())
      assert.deepEqual([answer.status, outcomeOf(answer), answer.headers['age']], [200, 'BYPASS', undefined])
      const { cache, cacheTier, usage } = await recordOf(scene.gateway, answer)
      assert.deepEqual([cache, cacheTier, usage.billed], ['BYPASS', null, true])
    }
  })

  test('where a provider is named directly', async () => {
    const name = uniqueName('direct')
    await scene.gateway.addProvider(scene.upstream.baseUrl, { name, direct: true })
    await scene.gateway.untilServed()
    scene.upstream.on('some-model', numbered())
    for (let i = 1; i <= 2; i++) {
      const answer = await scene.chat(scene.body(`${name}/some-model`))
      assert.equal(outcomeOf(answer), 'BYPASS')
      assert.match(answer.text, new RegExp(` #${i}"`))
    }
  })

  test('for a client that brings its own upstream key, nor is its answer stored', async () => {
    const cached = await addCached(scene, SHARED)
    const { secret } = await limited.token({ access: { ownKeys: true } })
    const own: Asking = { token: secret, headers: { 'x-millrace-upstream-key': UPSTREAM_KEY } }
    await cached.outcome('BYPASS', {}, own)
    const { text } = await cached.outcome('MISS', {}, { token: secret })
    await cached.outcome('BYPASS', {}, own)
    assert.equal((await cached.outcome('HIT', {}, { token: secret })).text, text)
    assert.equal(cached.calls, 3)
    // A token that may bring none has that header ignored, as ever.
    await cached.outcome('HIT', {}, { headers: own.headers! })
  })

  const conditions: Readonly<Record<string, object>> = {
    headers: { 'headers.x-tier': { $ne: 'tin' } },
    user: { user: { $ne: 'nobody' } },
    metadata: { 'metadata.plan': { $ne: 'free' } },
    'headers, within others': { $or: [{ stream: true }, { $not: { 'headers.x-tier': 'tin' } }] },
  }
  for (const [name, condition] of Object.entries(conditions)) {
    test(`where a route's condition reads ${name}`, async () => {
      const cached = await addCached(scene, { route: { condition: { ...condition } } })
      for (let i = 1; i <= 2; i++) {
        await cached.outcome('BYPASS')
        assert.equal(cached.calls, i)
      }
    })
  }

  test('but where a condition reads what is in the key', async () => {
    const cached = await addCached(scene, { route: { condition: { max_tokens: { $gte: 5 } } } })
    await cached.outcome('MISS', { max_tokens: 5 })
    await cached.outcome('HIT', { max_tokens: 5 })
  })

  test('where a provider takes only some addresses, origins or headers', async () => {
    const cached = await addCached(scene, { route: { provider: { access: { ipRanges: ['127.0.0.0/8'] } } } })
    await cached.outcome('BYPASS')
    await cached.outcome('BYPASS')
  })

  test('and answers of before a condition was set are given to nobody', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    const { alias } = await scene.gateway.control.gql<{ alias: { routes: { id: string }[] } }>(
      'query ($id: ID) { alias(id: $id) { routes { id } } }',
      { id: cached.aliasId },
    )
    await scene.gateway.control.gql(
      'mutation ($id: ID!, $input: UpdateRouteInput!) { updateRoute(id: $id, input: $input) { id } }',
      { id: alias.routes[0]!.id, input: { condition: { user: 'ann' } } },
    )
    await scene.gateway.untilServed()
    const answer = await cached.ask()
    assert.deepEqual([answer.status, codeOf(answer)], [503, 'no_route_available'])
  })
})

describe('a hit', { concurrency: true }, () => {
  test('counts as a request, and uses up no tokens', async () => {
    const cached = await addCached(scene)
    const { id, secret } = await limited.token({ limits: { requestsPerMinute: 5, tokensPerMinute: 2_000 } })
    const asking: Asking = { token: secret }
    const body = { max_tokens: 1_500 }
    const first = await cached.outcome('MISS', body, asking)
    assert.equal(first.headers['x-ratelimit-remaining-requests'], '4')
    for (const remaining of ['3', '2', '1', '0']) {
      const { headers } = await cached.outcome('HIT', body, asking)
      assert.deepEqual(
        [headers['x-ratelimit-limit-requests'], headers['x-ratelimit-remaining-requests']],
        ['5', remaining],
      )
      assert.equal(headers['x-ratelimit-limit-tokens'], '2000')
      assert.match(String(headers['x-ratelimit-reset-requests']), /^(\d+s|1m0s)$/)
    }
    const refused = await cached.ask(body, asking)
    assertError(refused, { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
    assert.notEqual(outcomeOf(refused), 'HIT')
    await waitFor(async () => (await limited.spent(id)).requestCount === 5)
  })

  test('uses up its quota, and is refused once that is gone', async () => {
    const cached = await addCached(scene)
    const { secret } = await limited.token({ maxRequests: 3 })
    await cached.outcome('MISS', {}, { token: secret })
    await cached.outcome('HIT', {}, { token: secret })
    await cached.outcome('HIT', {}, { token: secret })
    const refused = await cached.ask({}, { token: secret })
    assert.deepEqual([refused.status, codeOf(refused)], [429, 'request_quota_exceeded'])
    assert.equal(cached.calls, 1)
  })

  test('costs nothing of a budget', async () => {
    const cached = await addCached(scene)
    const { id, secret } = await limited.token({ budget: { limitUsd: '1', period: 'TOTAL' } })
    await cached.outcome('MISS', {}, { token: secret })
    const spent = async (): Promise<number> => Number((await limited.spent(id)).budget!.spentUsd)
    const before = await waitFor(async () => (await spent()) > 0 && spent())
    for (let i = 0; i < 5; i++) await cached.outcome('HIT', {}, { token: secret })
    await waitFor(async () => (await limited.spent(id)).requestCount === 6)
    assert.equal(await spent(), before)
  })

  test('holds a place no longer than it takes', async () => {
    const cached = await addCached(scene)
    const { secret } = await limited.token({ limits: { maxConcurrent: 1 } })
    await cached.outcome('MISS', {}, { token: secret })
    for (let i = 0; i < 10; i++) await cached.outcome('HIT', { stream: i % 2 === 0 }, { token: secret })
  })

  test('is none for a token that may not use the model, or is revoked, expired, or of an inactive project', async () => {
    const cached = await addCached(scene, SHARED)
    await cached.outcome('MISS')
    const project = await limited.project({})
    const expiresAt = Date.now() + 5_000
    const [forbidden, revoked, expired, inactive] = await Promise.all([
      limited.token({ access: { models: ['another-*'] } }),
      limited.token({}),
      limited.token({ expiresAt: new Date(expiresAt).toISOString() }),
      limited.token({ project }),
    ])
    await cached.outcome('HIT', {}, { token: revoked.secret })
    if (Date.now() < expiresAt - 1_000) await cached.outcome('HIT', {}, { token: expired.secret })
    await cached.outcome('MISS', {}, { token: inactive.secret })
    const { control } = scene.gateway
    await control.gql('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id: revoked.id })
    await control.gql('mutation ($id: ID!) { updateProject(id: $id, input: { active: false }) { id } }', {
      id: project,
    })
    await scene.gateway.untilServed()
    const refusals = [
      [forbidden, 403, 'permission_error', 'model_not_allowed'],
      [revoked, 401, 'authentication_error', 'token_revoked'],
      [expired, 401, 'authentication_error', 'token_expired'],
      [inactive, 403, 'permission_error', 'project_inactive'],
    ] as const
    for (const [{ secret }, status, type, code] of refusals) {
      // A revocation comes by a way of its own, beside revisions; and an end comes when it comes.
      const answer = await waitFor(async () => {
        const one = await cached.ask({}, { token: secret })
        return one.status !== 200 && one
      })
      assertError(answer, { status, type, code, ...(code === 'model_not_allowed' ? { param: 'model' } : {}) })
      assert.notEqual(outcomeOf(answer), 'HIT')
      assert.doesNotMatch(answer.text, /Hello/)
    }
    await cached.outcome('HIT')
  })

  test('is none for what the request itself does wrong', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    assert.equal((await cached.ask(`${cached.body()}x`)).status, 400)
    assert.equal((await cached.ask({}, { token: 'sk-mr-nobody' })).status, 401)
    assert.equal((await cached.ask({ messages: [] })).status, 400)
  })
})
