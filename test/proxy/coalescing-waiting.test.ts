/** Requests that share a call which is still waiting: for a place, for its next attempt, for a slow provider. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError } from '../helpers/error-shape.ts'
import { residentMegabytes } from '../helpers/memory.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import {
  addCached,
  joining,
  numbered,
  outcomeOf,
  outcomes,
  recordOf,
  recordsOf,
  underWay,
  type Cached,
  type CachedOptions,
} from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'

const scene = useScene()
const STREAM = { stream: true }

const addCoalescing = ({ cache, ...options }: CachedOptions = {}): Promise<Cached> =>
  addCached(scene, { cache: { enabled: true, coalesce: true, ...cache }, ...options })

describe('a call that is not at its provider yet', () => {
  const narrow = { provider: { maxConcurrency: 1, timeouts: { connect: 30_000 } } }

  test('takes one place for all who share it, and waits for it though the first caller goes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()), route: narrow })
    const blocking = cached.ask({ seed: 1 })
    await waitFor(() => cached.calls === 1)
    const first = cached.begin({ seed: 2 })
    await underWay(scene.gateway.proxy, 2)
    // Its body may be on its way yet.
    await sleep(300)
    const others = await joining(scene.gateway.proxy, 20, () =>
      Array.from({ length: 20 }, () => cached.ask({ seed: 2 })),
    )
    first.request.destroy()
    await underWay(scene.gateway.proxy, 21)
    assert.equal(cached.calls, 1)
    resolve()
    assert.equal((await blocking).status, 200)
    const answers = await within(20_000, 'the answers', Promise.all(others))
    for (const { status, text } of answers) assert.deepEqual([status, text], [200, answers[0]!.text])
    assert.equal(cached.calls, 2)
    assert.ok(outcomes(answers)['COALESCED']! >= 19)
    const records = await recordsOf(scene.gateway, cached.model, 22)
    assert.equal(records.filter(({ attempts }) => attempts.length === 1).length, 2)
  })

  test('gives up its turn once all have gone', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cached = await addCoalescing({ behaviour: behaviours.onceReleased(promise, numbered()), route: narrow })
    const blocking = cached.ask({ seed: 1 })
    await waitFor(() => cached.calls === 1)
    const going = await joining(scene.gateway.proxy, 1, () => [cached.begin({ seed: 2 }), cached.begin({ seed: 2 })])
    for (const { request } of going) request.destroy()
    await underWay(scene.gateway.proxy, 1)
    const next = cached.ask({ seed: 3 })
    await underWay(scene.gateway.proxy, 2)
    resolve()
    assert.deepEqual([(await blocking).status, (await within(20_000, 'the next', next)).status], [200, 200])
    assert.equal(cached.calls, 2)
    for (const { status, attempts } of (await recordsOf(scene.gateway, cached.model, 4)).slice(-4))
      assert.ok(status === 'SUCCESS' || attempts.length === 0)
  })

  test('is tried again though the first caller goes between two attempts', async () => {
    const cached = await addCoalescing({
      behaviour: behaviours.inTurn(behaviours.serverError(), numbered()),
      retry: { maxAttempts: 2, initialBackoffMs: 4_000, jitter: 0 },
    })
    const first = cached.begin()
    await waitFor(() => cached.calls === 1)
    const [other] = await joining(scene.gateway.proxy, 1, () => [cached.ask()])
    first.request.destroy()
    const answer = await within(20_000, 'the answer', other)
    assert.deepEqual([answer.status, outcomeOf(answer), cached.calls], [200, 'COALESCED', 2])
    const { attempts, usage } = await recordOf(scene.gateway, answer)
    assert.deepEqual([attempts.map(({ errorClass }) => errorClass), usage.billed], [['upstream_5xx', null], true])
  })

  test('is not tried again once all have gone', async () => {
    const cached = await addCoalescing({
      behaviour: behaviours.serverError(),
      retry: { maxAttempts: 3, initialBackoffMs: 4_000, jitter: 0 },
    })
    const callers = await joining(scene.gateway.proxy, 1, () => [cached.begin(), cached.begin()])
    await waitFor(() => cached.calls === 1)
    for (const { request } of callers) request.destroy()
    for (const { status } of await recordsOf(scene.gateway, cached.model, 2)) assert.equal(status, 'CANCELLED')
    await sleep(4_500)
    assert.equal(cached.calls, 1)
  })

  test('that takes too long is too slow for each', async () => {
    const cached = await addCoalescing({
      behaviour: behaviours.stall('before-headers'),
      retry: { maxAttempts: 1 },
      timeouts: { total: 1_500 },
    })
    const answers = await Promise.all(Array.from({ length: 5 }, () => cached.ask()))
    for (const answer of answers) assertError(answer, { status: 504, type: 'timeout_error', code: 'upstream_timeout' })
    for (const { status } of await recordsOf(scene.gateway, cached.model, 5)) assert.equal(status, 'TIMEOUT')
  })
})

describe('callers that do not read', () => {
  test('make the proxy hold the answer once: a hundred of 3 MB', async () => {
    const large = behaviours.answer({ words: Array.from({ length: 60 }, () => 'x'.repeat(65_536)) })
    const stored = await addCached(scene, { behaviour: large })
    await stored.ask(STREAM)
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one')
    const reader = await cached.open(STREAM)
    await reader.until('one')
    const before = residentMegabytes(scene.gateway.proxy.pid)
    // What their kernels take are the first of these answers. The third is the one that is shared.
    using stack = new DisposableStack()
    const sockets = Array.from({ length: 100 }, () => connect(scene.gateway.proxy.port, '127.0.0.1').pause())
    for (const socket of sockets) stack.adopt(socket, (one) => one.destroy())
    await joining(scene.gateway.proxy, sockets.length, () => {
      for (const socket of sockets)
        socket.on('error', () => undefined).write(stored.wire(STREAM).repeat(2) + cached.wire(STREAM))
    })
    spoken.say(...Array.from({ length: 48 }, () => 'x'.repeat(65_536)))
    spoken.end()
    const { body, complete } = await within(20_000, 'the answer', reader.rest())
    const after = residentMegabytes(scene.gateway.proxy.pid)
    assert.ok(complete && body.length > 3 * 1_024 * 1_024)
    if (before !== null && after !== null) assert.ok(after - before < 150, `${before} MB became ${after} MB`)
    assert.equal(cached.calls, 1)
  })

  test('hold up the provider, if none of them does', async () => {
    const cached = await addCoalescing({ behaviour: behaviours.endless() })
    const answers = [await cached.open(STREAM), await cached.open(STREAM)]
    for (const { stream } of answers) stream.pause()
    const [seen] = cached.seen
    let last = -1
    const held = await waitFor(
      () => {
        const still = seen!.bytesSent === last
        last = seen!.bytesSent
        return still && last
      },
      { intervalMs: 1_000, timeoutMs: 30_000, what: 'the provider to be held up' },
    )
    assert.ok(held < 32 * 1_024 * 1_024, `${held} bytes were taken for clients that read none`)
    for (const { stream } of answers) stream.resume()
    await waitFor(() => seen!.bytesSent > held + 4 * 1_024 * 1_024, { what: 'the stream to go on' })
    for (const answer of answers) answer.abort()
    await within(5_000, 'the end upstream', seen!.ended)
  })
})
