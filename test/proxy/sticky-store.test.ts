/** What each store of sticky bindings promises, one table for both; and what the two together do when Redis goes away. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { newId, STRATEGIES } from '@millrace/shared'
import { pino } from 'pino'

import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { StickyBindings } from '../../packages/proxy/dist/sticky/bindings.js'
import { MemoryBindings } from '../../packages/proxy/dist/sticky/memory.js'
import { RedisBindings } from '../../packages/proxy/dist/sticky/redis.js'
import type { StickyStore } from '../../packages/proxy/dist/sticky/store.js'
import { SharedBindings } from '../../packages/proxy/dist/workers/shared-bindings.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { unhurried, waitFor, within } from '../helpers/wait.ts'
import { WorkerLinks } from '../helpers/worker-links.ts'

const TTL = 60_000
const SILENT = pino({ level: 'silent' })
/** Two proxies' connections, ready; generous, because tests share the machine. */
const DEADLINE_MS = 2_000

const skip = await redisUnusable()
if (skip !== false) console.log(`# the Redis half of these tests is skipped: ${skip}`)

const disposables = new AsyncDisposableStack()
after(() => disposables.disposeAsync())
let started: Promise<RedisServer> | undefined

async function redisServer(): Promise<RedisServer> {
  started ??= RedisServer.start().then((server) => disposables.use(server))
  return started
}

async function connected(server: RedisServer): Promise<Redis> {
  const redis = new Redis(server.url, SILENT, DEADLINE_MS)
  disposables.defer(() => redis.close())
  redis.start()
  await waitFor(() => redis.ready, { what: 'Redis to be ready' })
  return redis
}

/** The same store, as two proxies see it, or two workers of one; of memory each has its own. */
interface Kind {
  readonly name: string
  readonly skip: false | string
  open(): Promise<readonly [StickyStore, StickyStore]>
}

const KINDS: readonly Kind[] = [
  {
    name: 'memory',
    skip: false,
    async open() {
      const store = new MemoryBindings()
      return [store, store]
    },
  },
  {
    name: "the workers' primary",
    skip: false,
    async open() {
      const links = disposables.use(new WorkerLinks())
      return [new SharedBindings(links.open().channel), new SharedBindings(links.open().channel)]
    },
  },
  {
    name: 'Redis',
    skip,
    async open() {
      const server = await redisServer()
      return [new RedisBindings(await connected(server)), new RedisBindings(await connected(server))]
    },
  },
]

for (const kind of KINDS) {
  suite(`sticky bindings in ${kind.name}`, { skip: kind.skip }, () => {
    const key = (alias = newId(), subject = 'someone'): string => `${alias}:${newId()}:USER:${subject}`

    test('bind a subject once, and find it again', async () => {
      const [store] = await kind.open()
      const one = key()
      const before = Date.now()
      const first = await store.bind(one, ['a', 'b'], 'a', TTL)
      assert.equal(first.action, 'BIND')
      assert.equal(first.binding.routeId, 'a')
      assert.ok(Math.abs(first.binding.boundAt - before) < 10_000)
      assert.equal(first.binding.expiresAt, first.binding.boundAt + TTL)
      await sleep(5)
      const again = await store.bind(one, ['a', 'b'], 'b', TTL)
      assert.equal(again.action, 'HIT')
      assert.equal(again.binding.routeId, 'a')
      assert.equal(again.binding.boundAt, first.binding.boundAt)
      assert.ok(again.binding.expiresAt > first.binding.expiresAt, 'the expiry slides')
      assert.equal((await store.bind(key(), ['a', 'b'], 'b', TTL)).action, 'BIND')
    })

    test('bind anew where the route is not accepted', async () => {
      const [store] = await kind.open()
      const one = key()
      const first = await store.bind(one, ['a'], 'a', TTL)
      await sleep(5)
      const next = await store.bind(one, ['b', 'c'], 'b', TTL)
      assert.equal(next.action, 'REBIND_UNAVAILABLE')
      assert.equal(next.binding.routeId, 'b')
      assert.ok(next.binding.boundAt > first.binding.boundAt)
      assert.equal((await store.bind(one, ['a', 'b'], 'a', TTL)).action, 'HIT')
      assert.equal((await store.bind(one, [], 'a', TTL)).action, 'REBIND_UNAVAILABLE')
    })

    test('bind anew where the binding has expired, and tell it for as long again', async () => {
      const [store] = await kind.open()
      await unhurried(500, async (ttl, late) => {
        const one = key()
        const began = performance.now()
        await store.bind(one, ['a', 'b'], 'a', ttl)
        await sleep(1.3 * ttl)
        const next = await store.bind(one, ['a', 'b'], 'b', ttl)
        late(performance.now() - began > 1.9 * ttl)
        assert.equal(next.action, 'REBIND_EXPIRED')
        assert.equal(next.binding.routeId, 'b')
        await sleep(2.1 * ttl)
        assert.equal((await store.bind(one, ['a', 'b'], 'a', ttl)).action, 'BIND')
      })
    })

    test('stay for as long as they are used', async () => {
      const [store] = await kind.open()
      await unhurried(600, async (ttl, late) => {
        const one = key()
        let used = performance.now()
        await store.bind(one, ['a'], 'a', ttl)
        for (let i = 0; i < 6; i++) {
          await sleep(ttl / 4)
          const before = used
          used = performance.now()
          const { action } = await store.bind(one, ['a', 'b'], 'b', ttl)
          late(performance.now() - before > 0.9 * ttl)
          assert.equal(action, 'HIT', String(i))
        }
      })
    })

    test('move from the route that failed, and from no other', async () => {
      const [store, other] = await kind.open()
      const one = key()
      assert.equal(await store.move(one, 'a', 'b', TTL), null)
      await store.bind(one, ['a'], 'a', TTL)
      assert.equal((await store.move(one, 'a', 'b', TTL))?.routeId, 'b')
      const late = await other.move(one, 'a', 'c', TTL)
      assert.equal(late?.routeId, 'b', 'what another request has moved stands')
      assert.equal((await other.bind(one, ['a', 'b'], 'a', TTL)).binding.routeId, 'b')
      const brief = key()
      await store.bind(brief, ['a'], 'a', 50)
      await sleep(100)
      assert.equal(await store.move(brief, 'a', 'b', 50), null)
    })

    test('give 20 first requests of one subject at once one route', async () => {
      const stores = await kind.open()
      for (let round = 0; round < 10; round++) {
        const one = key()
        const bound = await Promise.all(
          Array.from({ length: 20 }, async (_, i) => stores[i % 2]!.bind(one, ['a', 'b', 'c'], 'abc'[i % 3]!, TTL)),
        )
        assert.equal(new Set(bound.map(({ binding }) => binding.routeId)).size, 1)
        assert.deepEqual(bound.map(({ action }) => action).sort(), ['BIND', ...Array.from({ length: 19 }, () => 'HIT')])
      }
    })

    test('keep 1,000 subjects where the weights put them', async () => {
      const [store, other] = await kind.open()
      const alias = newId()
      const routes = [
        { id: 'a', priority: 0, weight: 70 },
        { id: 'b', priority: 0, weight: 25 },
        { id: 'c', priority: 0, weight: 5 },
      ]
      let n = 0
      const view = {
        latencyOf: () => null,
        inFlightOf: () => 0,
        costOf: () => null,
        random: Math.random,
        draw: () => (0.3 + n++ * 0.618_033_988_749_894_9) % 1,
        turn: () => n,
      }
      const accept = routes.map(({ id }) => id)
      const bindAll = async (by: StickyStore): Promise<string[]> => {
        const bound: string[] = []
        for (let at = 0; at < 1_000; at += 100) {
          const some = Array.from({ length: 100 }, async (_, i) =>
            by.bind(`${alias}:p:USER:u${at + i}`, accept, STRATEGIES.WEIGHTED.choose(routes, view).id, TTL),
          )
          bound.push(...(await Promise.all(some)).map(({ binding }) => binding.routeId))
        }
        return bound
      }
      const first = await bindAll(store)
      for (const { id, weight } of routes) {
        const share = first.filter((routeId) => routeId === id).length / 10
        assert.ok(Math.abs(share - weight) < 2, `${id}: ${share} %`)
      }
      assert.deepEqual(await bindAll(other), first)
    })

    test('are cleared one by one, and by alias', async () => {
      const [store, other] = await kind.open()
      const [alias, neighbour] = [newId(), newId()]
      const keys = Array.from({ length: 2_500 }, (_, i) => `${alias}:p:USER:u${i}`)
      // Not all at once: others use this machine.
      for (let i = 0; i < keys.length; i += 100)
        await Promise.all(keys.slice(i, i + 100).map(async (one) => store.bind(one, ['a'], 'a', TTL)))
      const kept = `${neighbour}:p:USER:${alias}:`
      await store.bind(kept, ['a'], 'a', TTL)

      assert.equal(await other.clear(alias, keys[7]!, 0), 1)
      assert.equal(await other.clear(alias, keys[7]!, 0), 0)
      assert.equal(await other.clear(alias, kept, 0), 0, "another alias's is not cleared")
      assert.equal((await store.bind(keys[7]!, ['a'], 'a', TTL)).action, 'BIND')
      assert.equal((await store.bind(keys[8]!, ['a'], 'a', TTL)).action, 'HIT')

      assert.equal(await other.clear(alias, null, 0), 2_500)
      assert.equal(await other.clear(alias, null, 0), 0)
      assert.equal((await store.bind(keys[8]!, ['a'], 'a', TTL)).action, 'BIND')
      assert.equal((await store.bind(kept, ['a'], 'a', TTL)).action, 'HIT')
    })

    test('are not cleared where they were made since that was wanted', async () => {
      const [store, other] = await kind.open()
      await unhurried(300, async (margin, late) => {
        const alias = newId()
        const [before, moved, since] = ['before', 'moved', 'since'].map((subject) => key(alias, subject))
        for (const one of [before!, moved!]) await store.bind(one, ['a'], 'a', TTL)
        await sleep(margin)
        const wanted = performance.now()
        await sleep(margin)
        await store.bind(before!, ['a'], 'a', TTL)
        await store.move(moved!, 'a', 'b', TTL)
        await store.bind(since!, ['a'], 'a', TTL)
        const clear = async (one: string | null): Promise<number> => {
          const now = performance.now()
          const cleared = await other.clear(alias, one, now - wanted)
          late(performance.now() - now > 0.8 * margin)
          return cleared
        }
        assert.equal(await clear(since!), 0)
        assert.equal(await clear(null), 1)
        assert.equal(await clear(null), 0)
        assert.equal((await store.bind(before!, ['a'], 'a', TTL)).action, 'BIND', 'its use since then does not save it')
        for (const one of [moved!, since!]) assert.equal((await store.bind(one, ['a', 'b'], 'a', TTL)).action, 'HIT')
        assert.equal(await other.clear(alias, moved!, 0), 1)
      })
    })

    test('take any text as a subject', async () => {
      const [store] = await kind.open()
      for (const subject of ['', 'a b', 'ü😀', '*', "'; DROP", '__proto__', 'x'.repeat(200)]) {
        const one = key(newId(), subject)
        assert.equal((await store.bind(one, ['a'], 'a', TTL)).action, 'BIND')
        assert.equal((await store.bind(one, ['a'], 'a', TTL)).action, 'HIT', subject)
      }
    })
  })
}

test('bindings in memory are answered without a promise', () => {
  const bindings = new StickyBindings(null)
  const bound = bindings.bind('alias:one', ['a'], 'a', TTL)
  assert.ok(!(bound instanceof Promise))
  assert.equal(bound.backend, 'memory')
  const moved = bindings.move('alias:one', 'a', 'b', TTL)
  assert.ok(moved !== null && !(moved instanceof Promise))
  assert.equal(moved.routeId, 'b')
})

test("bindings of workers are each one's own while the primary does not answer", async () => {
  using links = new WorkerLinks()
  const [one, other] = [new SharedBindings(links.open().channel), new SharedBindings(links.open().channel)]
  assert.equal((await one.bind('alias:one', ['a', 'b'], 'a', TTL)).action, 'BIND')
  assert.equal((await other.bind('alias:one', ['a', 'b'], 'b', TTL)).binding.routeId, 'a')
  links.stop()
  assert.deepEqual([(await one.bind('alias:one', ['a', 'b'], 'b', TTL)).action], ['HIT'])
  assert.equal((await one.bind('alias:two', ['a', 'b'], 'b', TTL)).action, 'BIND')
  await assert.rejects(Promise.resolve(one.clear('alias', null, 0)), /slow|in time/)
  links.goOn()
  await waitFor(async () => (await one.clear('alias', null, 0).catch(() => 0)) > 0, { what: 'the primary to answer' })
  assert.equal((await other.bind('alias:one', ['a', 'b'], 'b', TTL)).action, 'BIND')
})

suite('sticky bindings while Redis comes and goes', { skip }, () => {
  test('are of this process while it is away, and stay where they were', async () => {
    await using server = await RedisServer.start()
    const redis = await connected(server)
    const bindings = new StickyBindings(redis)
    const before = await bindings.bind('alias:one', ['a', 'b'], 'a', TTL)
    assert.deepEqual([before.action, before.backend], ['BIND', 'redis'])

    await server.stop()
    await waitFor(() => !redis.ready, { what: 'Redis to be away' })
    const away = bindings.bind('alias:one', ['a', 'b'], 'b', TTL)
    assert.ok(!(away instanceof Promise))
    assert.deepEqual([away.action, away.backend, away.binding.routeId], ['HIT', 'memory', 'a'])
    await assert.rejects(bindings.clear('alias', null, 0), /^RedisError: Redis is away: /)

    await server.start()
    await waitFor(() => redis.ready, { what: 'Redis to be back' })
    const back = await bindings.bind('alias:one', ['a', 'b'], 'b', TTL)
    assert.deepEqual([back.action, back.backend, back.binding.routeId], ['BIND', 'redis', 'b'])
    assert.equal(await bindings.clear('alias', null, 0), 1)
  })

  test('cost a request no more than the deadline where it answers nothing', async () => {
    await using server = await RedisServer.start()
    const redis = new Redis(server.url, SILENT)
    using _closing = { [Symbol.dispose]: () => redis.close() }
    redis.start()
    await waitFor(() => redis.ready)
    const bindings = new StickyBindings(redis)
    await bindings.bind('alias:one', ['a'], 'a', TTL)
    server.pause()
    const began = performance.now()
    const slow = await within(1_000, 'a bind', Promise.resolve(bindings.bind('alias:one', ['a', 'b'], 'b', TTL)))
    assert.deepEqual([slow.action, slow.backend, slow.binding.routeId], ['HIT', 'memory', 'a'])
    assert.ok(performance.now() - began >= 95)
    assert.ok(!(bindings.bind('alias:one', ['a'], 'a', TTL) instanceof Promise), 'the next one does not wait')
    server.resume()
    await waitFor(() => redis.ready, { what: 'Redis to answer again' })
    assert.equal((await bindings.bind('alias:one', ['a', 'b'], 'b', TTL)).backend, 'redis')
  })
})
