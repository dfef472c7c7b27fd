/** Two proxies with one Redis: what they share, and what becomes of it when Redis is slow, or gone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startGateway, uniqueName, type Gateway } from '../helpers/gateway.ts'
import { send, type Answer } from '../helpers/http.ts'
import type { ProxyProcess } from '../helpers/proxy.ts'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { addRouted, type Routed } from '../helpers/routed.ts'
import type { StoredSticky } from '../helpers/stored-record.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const BY_USER = { sticky: { scope: 'USER', ttlSeconds: 600 } } as const
const skip = await redisUnusable()

describe('two proxies with one Redis', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let redis: RedisServer
  let upstream: Upstream
  let gateway: Gateway
  let other: ProxyProcess
  before(async () => {
    redis = stack.use(await RedisServer.start({ password: 'p@ss:word' }))
    upstream = stack.use(await startUpstream())
    gateway = stack.use(await startGateway({ env: { MILLRACE_REDIS_URL: redis.url } }))
    other = await gateway.addProxy()
  })
  after(() => stack.disposeAsync())

  async function routed(options = {}, provider = {}): Promise<Routed<'a' | 'b'>> {
    const made = await addRouted(gateway.control, upstream, { a: { provider }, b: {} }, options)
    await Promise.all([gateway.untilServed(), gateway.untilServed(undefined, other)])
    return made
  }

  function ask(proxy: ProxyProcess, model: string, user = 'nobody', id = uniqueName('fleet')): Promise<Answer> {
    return send(`${proxy.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model, user, messages: [{ role: 'user', content: 'x' }] }),
    })
  }

  async function stickyOf(answer: Answer): Promise<StoredSticky> {
    return (await gateway.record(String(answer.headers['x-request-id']))).decision!.sticky
  }

  /** Redis is asked only once a proxy has found it. */
  async function untilShared(model: string): Promise<void> {
    for (const proxy of [gateway.proxy, other]) {
      await waitFor(async () => (await stickyOf(await ask(proxy, model))).backend === 'redis', {
        what: 'Redis to be asked',
        timeoutMs: 60_000,
      })
    }
  }

  test('a subject has one route at both', async () => {
    const alias = await routed(BY_USER)
    await untilShared(alias.model)
    const seen = new Set<string>()
    let alone = 0
    for (let i = 0; i < 16; i++) {
      const user = `user-${i}`
      const [first, second] = i % 2 === 0 ? [gateway.proxy, other] : [other, gateway.proxy]
      const bound = await ask(first, alias.model, user)
      const followed = await ask(second, alias.model, user)
      const stickies = [await stickyOf(bound), await stickyOf(followed)]
      // Redis was too slow, and was not waited for.
      if (stickies.some(({ backend }) => backend !== 'redis')) alone++
      else {
        assert.equal(alias.by(followed), alias.by(bound))
        assert.deepEqual(
          stickies.map(({ action }) => action),
          ['BIND', 'HIT'],
        )
      }
      seen.add(alias.by(bound))
    }
    assert.ok(alone <= 8, `${alone} of 16`)
    assert.deepEqual(seen, new Set(['a', 'b']))
  })

  test('twenty first requests of one subject, at both at once, share one route', async () => {
    const alias = await routed(BY_USER)
    await untilShared(alias.model)
    let alone = 0
    for (let i = 0; i < 5; i++) {
      const asked = Array.from({ length: 20 }, (_, n) => ask(n % 2 ? gateway.proxy : other, alias.model, `many-${i}`))
      const answers = await Promise.all(asked)
      const keys = answers.map((answer) => alias.by(answer))
      const stickies = await Promise.all(answers.map(stickyOf))
      // Redis was too slow for one, and was not waited for.
      if (stickies.some(({ backend }) => backend !== 'redis')) alone++
      else assert.equal(new Set(keys).size, 1, keys.join(' '))
    }
    assert.ok(alone <= 3, `${alone} of 5`)
  })

  test('a binding that moved at one has moved at the other', async () => {
    const alias = await routed(BY_USER)
    await untilShared(alias.model)
    const from = alias.by(await ask(gateway.proxy, alias.model, 'ann'))
    const to = from === 'a' ? 'b' : 'a'
    alias.behaves(from, behaviours.serverError())
    assert.equal(alias.by(await ask(gateway.proxy, alias.model, 'ann')), to)
    alias.behaves(from, behaviours.answer())
    // No answer waits until the move has reached Redis.
    await waitFor(async () => alias.by(await ask(other, alias.model, 'ann')) === to, { what: 'the move' })
    for (let i = 0; i < 3; i++) assert.equal(alias.by(await ask(other, alias.model, 'ann')), to)
  })

  test('a binding that an operator clears is forgotten at both', async () => {
    const alias = await routed(BY_USER)
    await untilShared(alias.model)
    const { key } = await stickyOf(await ask(gateway.proxy, alias.model, 'ann'))
    await waitFor(async () => (await stickyOf(await ask(other, alias.model, 'ann'))).action === 'HIT')
    const clear = 'mutation ($alias: ID!, $key: String) { clearStickyBindings(alias: $alias, key: $key) }'
    await gateway.control.gql(clear, { alias: alias.aliasId, key })
    // Cleared for good: no proxy brings it back from what it remembers.
    await waitFor(async () => (await stickyOf(await ask(other, alias.model, 'ann'))).action === 'BIND', {
      what: 'the binding to be forgotten',
    })
    assert.equal((await stickyOf(await ask(gateway.proxy, alias.model, 'ann'))).action, 'HIT')
  })

  test("one's breaker that opens is a hint to the other, which has seen no failure itself", async () => {
    const breaker = { consecutiveFailures: 3, openSeconds: 600, maxOpenSeconds: 600 }
    const alias = await addRouted(gateway.control, upstream, { a: { provider: { breaker } }, b: { priority: 1 } })
    await Promise.all([gateway.untilServed(), gateway.untilServed(undefined, other)])
    assert.equal(alias.by(await ask(other, alias.model)), 'a')
    alias.behaves('a', behaviours.serverError())
    for (let i = 0; i < 3; i++) await ask(gateway.proxy, alias.model)
    // Well again: the other could not come to open its own.
    alias.behaves('a', behaviours.answer())
    // Ten times the contract's second.
    await waitFor(async () => alias.by(await ask(other, alias.model)) === 'b', {
      what: 'the other to know',
      timeoutMs: 10_000,
      intervalMs: 100,
    })
    const { decision } = await gateway.record(String((await ask(other, alias.model)).headers['x-request-id']))
    assert.deepEqual(alias.excluded(decision!), { a: 'BREAKER_OPEN', b: null })
  })

  test('Redis is stuck: no answer waits for it long, and bindings hold', async () => {
    const alias = await routed(BY_USER)
    await untilShared(alias.model)
    const bound = alias.by(await ask(gateway.proxy, alias.model, 'ann'))
    redis.pause()
    try {
      for (let i = 0; i < 5; i++) {
        const answer = await within(5_000, 'an answer', ask(gateway.proxy, alias.model, 'ann'))
        assert.equal(alias.by(answer), bound)
      }
    } finally {
      redis.resume()
    }
  })

  test('Redis is killed: each goes on in memory with what it knows, and shares again once it is back', async () => {
    const alias = await routed(BY_USER)
    await untilShared(alias.model)
    const bound = alias.by(await ask(gateway.proxy, alias.model, 'ann'))
    await redis.stop()
    const answers: Answer[] = []
    for (let i = 0; i < 10; i++) {
      answers.push(await within(5_000, 'an answer', ask(gateway.proxy, alias.model, 'ann')))
      assert.equal((await within(5_000, 'an answer', ask(other, alias.model, `new-${i}`))).status, 200)
    }
    for (const answer of answers) assert.equal(alias.by(answer), bound)
    const sticky = await stickyOf(answers.at(-1)!)
    assert.deepEqual([sticky.backend, sticky.action], ['memory', 'HIT'])
    await redis.start()
    await untilShared(alias.model)
    const again = await ask(gateway.proxy, alias.model, 'bob')
    await waitFor(async () => alias.by(await ask(other, alias.model, 'bob')) === alias.by(again))
  })

  test('a proxy that starts while Redis is away serves all the same', async () => {
    const alias = await routed(BY_USER)
    await redis.stop()
    await other.restart()
    await gateway.untilServed(undefined, other)
    const answer = await within(10_000, 'an answer', ask(other, alias.model, 'ann'))
    assert.equal(answer.status, 200)
    assert.equal((await stickyOf(answer)).backend, 'memory')
    await redis.start()
    await untilShared(alias.model)
  })
})
