/** Nobody is given an answer that is another's, nor one of a configuration that is no more. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { createProject } from '../helpers/configuration.ts'
import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { startUpstream, type Behaviour } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { addCached, outcomes, type Cached } from './cache/caching.ts'

const scene = useScene()

/** A provider that tells what it must not: each answer names the secret of who asked. */
const confiding: Behaviour = (exchange) =>
  behaviours.answer({ words: [exchange.seen.json.messages[0].content] })(exchange)

async function tokensOf(projects: readonly string[]): Promise<string[]> {
  const made = []
  for (const project of projects) made.push((await scene.gateway.addToken({ project })).secret)
  await scene.gateway.untilServed()
  return made
}

/** Changes the configuration, and waits until it is served. */
async function change(mutation: string, variables: Record<string, unknown>): Promise<Record<string, any>> {
  const data = await scene.gateway.control.gql(mutation, variables)
  await scene.gateway.untilServed()
  return data
}

const updateAlias = (id: string, input: object) =>
  change('mutation ($id: ID!, $input: UpdateAliasInput!) { updateAlias(id: $id, input: $input) { id } }', { id, input })
const updateRoute = (id: string, input: object) =>
  change('mutation ($id: ID!, $input: UpdateRouteInput!) { updateRoute(id: $id, input: $input) { id } }', { id, input })
const updateProvider = (id: string, input: object) =>
  change('mutation ($id: ID!, $input: UpdateProviderInput!) { updateProvider(id: $id, input: $input) { id } }', {
    id,
    input,
  })

async function routeOf({ aliasId }: Cached): Promise<string> {
  const { alias } = await scene.gateway.control.gql<{ alias: { routes: { id: string }[] } }>(
    'query ($id: ID) { alias(id: $id) { routes { id } } }',
    { id: aliasId },
  )
  return alias.routes[0]!.id
}

describe('the same body', { concurrency: true }, () => {
  for (const stream of [false, true]) {
    test(`of two tokens is never one answer${stream ? ', streamed' : ''}`, async () => {
      const cached = await addCached(scene)
      const project = await scene.gateway.projectId()
      const [one, other] = (await tokensOf([project, project])) as [string, string]
      const own = await cached.outcome('MISS', { stream }, { token: one })
      const others = await cached.outcome('MISS', { stream }, { token: other })
      assert.notEqual(others.text, own.text)
      assert.equal(cached.calls, 2)
      assert.equal((await cached.outcome('HIT', { stream }, { token: one })).text, own.text)
      assert.equal((await cached.outcome('HIT', { stream }, { token: other })).text, others.text)
      assertError(await cached.ask({ stream }, { headers: { 'cache-control': 'only-if-cached' } }), {
        status: 504,
        type: 'invalid_request_error',
        code: 'not_cached',
      })
    })
  }

  test("is one answer for a project's tokens where its alias says so, and never for another project's", async () => {
    const cached = await addCached(scene, { cache: { shareAcrossProject: true } })
    const [mine, theirs] = [await createProject(scene.gateway.control), await createProject(scene.gateway.control)]
    const [one, two, foreign, alike] = (await tokensOf([mine, mine, theirs, theirs])) as [
      string,
      string,
      string,
      string,
    ]
    const own = await cached.outcome('MISS', {}, { token: one })
    assert.equal((await cached.outcome('HIT', {}, { token: two })).text, own.text)
    const other = await cached.outcome('MISS', {}, { token: foreign })
    assert.notEqual(other.text, own.text)
    assert.equal((await cached.outcome('HIT', {}, { token: alike })).text, other.text)
    assert.equal(cached.calls, 2)
  })

  for (const shareAcrossProject of [false, true]) {
    const who = shareAcrossProject ? 'projects' : 'tokens'
    test(`of two ${who} at once is two calls, though requests are shared`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const cached = await addCached(scene, {
        cache: { coalesce: true, shareAcrossProject },
        behaviour: behaviours.onceReleased(promise, confiding),
      })
      const project = await scene.gateway.projectId()
      const other = shareAcrossProject ? await createProject(scene.gateway.control) : project
      const tokens = await tokensOf([project, other])
      const asked = tokens.flatMap((token) => [cached.ask({}, { token }), cached.ask({}, { token })])
      await waitFor(() => cached.calls === 2)
      resolve()
      // One that comes later than the others' answer has that.
      const { MISS: misses, COALESCED: coalesced = 0, HIT: hits = 0 } = outcomes(await Promise.all(asked))
      assert.deepEqual([misses, coalesced + hits], [2, 2])
      assert.equal(cached.calls, 2)
    })
  }

  test('of a thousand requests of ten tokens: each has only what its own have asked', async () => {
    const cached = await addCached(scene, { cache: { coalesce: true }, behaviour: confiding })
    const project = await scene.gateway.projectId()
    const tokens = await tokensOf(Array.from({ length: 10 }, () => project))
    for (let round = 0; round < 5; round++) {
      const asked = Array.from({ length: 200 }, async (_, i) => {
        const who = i % 10
        // Half of what they ask is common to all, and says nothing; half is their own.
        const content = i % 20 < 10 ? 'common' : `secret of ${who}`
        const stream = i % 3 === 0
        const answer = await cached.ask({ stream, messages: [{ role: 'user', content }] }, { token: tokens[who]! })
        assert.equal(answer.status, 200)
        assert.ok(answer.text.includes(content), answer.text)
        for (const [, owner] of answer.text.matchAll(/secret of (\d)/g)) assert.equal(Number(owner), who)
      })
      await Promise.all(asked)
    }
    assert.ok(cached.calls >= 20, `${cached.calls} calls`)
  })
})

describe('an answer is given no more', { concurrency: true }, () => {
  test("once its alias's route has another model, and is again once it is as it was", async () => {
    const cached = await addCached(scene)
    const { text } = await cached.outcome('MISS')
    const route = await routeOf(cached)
    const another = uniqueName('another')
    await updateRoute(route, { providerModel: another })
    const { headers } = await cached.outcome('MISS')
    assert.equal(headers['x-millrace-model'], another)
    await updateRoute(route, { providerModel: cached.routed.nameOf('only') })
    const again = await cached.ask()
    assert.equal(again.headers['x-millrace-model'], cached.routed.nameOf('only'))
    if (again.headers['x-cache'] === 'HIT') assert.equal(again.text, text)
  })

  test('once its alias has another route', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    const provider = cached.routed.provider('only')
    const input = { provider, providerModel: cached.routed.nameOf('only'), priority: 3 }
    await change('mutation ($alias: ID!, $input: RouteInput!) { addRoute(alias: $alias, input: $input) { id } }', {
      alias: cached.aliasId,
      input,
    })
    await cached.outcome('MISS')
    await cached.outcome('HIT')
  })

  test('once its route is disabled, or its alias is, or gone', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    const route = await routeOf(cached)
    await updateRoute(route, { enabled: false })
    const unrouted = await cached.ask()
    assertError(unrouted, { status: 503, type: 'upstream_error', code: 'no_route_available' })
    await updateRoute(route, { enabled: true })
    await cached.ask()
    await updateAlias(cached.aliasId, { enabled: false })
    assert.notEqual((await cached.ask()).status, 200)
    await updateAlias(cached.aliasId, { enabled: true })
    await cached.ask()
    await change('mutation ($id: ID!) { deleteAlias(id: $id) }', { id: cached.aliasId })
    const unknown = await cached.ask()
    assert.deepEqual([unknown.status, unknown.headers['x-cache'] === 'HIT'], [404, false])
  })

  test('to another alias of its name', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    await change('mutation ($id: ID!) { deleteAlias(id: $id) }', { id: cached.aliasId })
    const again = await addCached(scene, { alias: cached.model })
    await again.outcome('MISS')
    assert.equal(again.calls, 1)
  })

  test("to a project's own alias of that name, nor the other way round", async () => {
    const shared = await addCached(scene)
    const project = await createProject(scene.gateway.control)
    const [token] = (await tokensOf([project])) as [string]
    const { text } = await shared.outcome('MISS', {}, { token })
    const own = await addCached(scene, { alias: shared.model, project })
    const answer = await own.outcome('MISS', {}, { token })
    assert.equal(answer.headers['x-millrace-provider'], own.routed.nameOf('only'))
    assert.deepEqual([own.calls, shared.calls], [1, 1])
    await change('mutation ($id: ID!) { deleteAlias(id: $id) }', { id: own.aliasId })
    assert.equal((await shared.outcome('HIT', {}, { token })).text, text)
  })

  test("once its provider's address is another", async () => {
    await using elsewhere = await startUpstream()
    const cached = await addCached(scene, { route: { provider: { apiKeys: [] } } })
    await cached.outcome('MISS')
    const before = elsewhere.requests.length
    await updateProvider(cached.routed.provider('only'), { baseUrl: elsewhere.baseUrl })
    await cached.outcome('MISS')
    assert.deepEqual([cached.calls, elsewhere.requests.length - before], [1, 1])
  })

  test('once its provider is disabled', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    await updateProvider(cached.routed.provider('only'), { enabled: false })
    assert.equal((await cached.ask()).status, 503)
  })

  test('once its alias stores none', async () => {
    const cached = await addCached(scene)
    await cached.outcome('MISS')
    await updateAlias(cached.aliasId, { cache: { enabled: false } })
    for (let i = 2; i <= 3; i++) {
      await cached.outcome('BYPASS')
      assert.equal(cached.calls, i)
    }
  })

  test('to its other tokens, once its alias no longer shares', async () => {
    const cached = await addCached(scene, { cache: { shareAcrossProject: true } })
    const [token] = (await tokensOf([await scene.gateway.projectId()])) as [string]
    await cached.outcome('MISS')
    await updateAlias(cached.aliasId, { cache: { shareAcrossProject: false } })
    await cached.outcome('MISS', {}, { token })
  })
})
