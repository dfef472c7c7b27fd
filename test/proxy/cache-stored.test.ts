/** What is stored of answers, and what never is. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { startGateway } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { addCached, numbered, outcomeOf, outcomes, type Cached } from './cache/caching.ts'

const scene = useScene()
const MB = 1_024 * 1_024
const ONCE = { retry: { maxAttempts: 1 } }

/** Answers so once, and well from then on. */
const first = (bad: Behaviour): Behaviour => behaviours.inTurn(bad, numbered())

/** Asserts that a request is sent on, and that its good answer is stored then. */
async function assertNotStored(cached: Cached, more: object): Promise<void> {
  const calls = cached.calls
  const { text } = await cached.outcome('MISS', more)
  assert.equal(cached.calls, calls + 1)
  assert.equal((await cached.outcome('HIT', more)).text, text)
}

describe('is never stored:', { concurrency: true }, () => {
  const unstreamed: Readonly<Record<string, Behaviour>> = {
    'a 400': behaviours.badRequest(),
    'a 401': behaviours.unauthorized(),
    'a 404': behaviours.notFound(),
    'a 422': behaviours.unprocessable(),
    'a 429': behaviours.rateLimited(),
    'a 500': behaviours.serverError(),
    'a 503': behaviours.unavailable(),
    'a redirect': behaviours.redirect('http://127.0.0.1:1/'),
    'a page': behaviours.html(),
    'a page with status 200': behaviours.html(200),
    'an error with status 200': behaviours.okWithError(),
    'half of a JSON text': behaviours.truncatedJson(),
    'an answer that is cut': behaviours.cutOff('mid-body'),
    'an answer that is cut before its last byte': behaviours.cutOff('before-the-end'),
    'no answer': behaviours.reset(),
    'an empty answer': behaviours.raw(''),
    'an answer that is no object': behaviours.raw('[]'),
  }
  for (const [name, behaviour] of Object.entries(unstreamed)) {
    test(name, async () => {
      const cached = await addCached(scene, { behaviour: first(behaviour), ...ONCE })
      const answer = await cached.ask()
      assert.notEqual(answer.status, 200)
      assert.notEqual(outcomeOf(answer), 'HIT')
      await assertNotStored(cached, {})
    })
  }

  const streamed: Readonly<Record<string, Behaviour>> = {
    'a refused stream': behaviours.serverError(),
    'a stream that begins with an error': behaviours.errorEventFirst(),
    'a stream in which comes an error': behaviours.errorEventLater(),
    'a stream that is cut': behaviours.cutOff('mid-body'),
    'a stream that is cut in an event': behaviours.cutOff('mid-event'),
    'a stream that is cut before its end': behaviours.cutOff('before-the-end'),
    'a stream that ends in the middle': behaviours.endEarly('mid-body'),
    'a stream that ends in an event': behaviours.endEarly('mid-event'),
    'a stream without content': behaviours.endEarly('after-headers'),
    'a stream that lacks its end': behaviours.missingDone(),
  }
  for (const [name, behaviour] of Object.entries(streamed)) {
    test(name, async () => {
      const cached = await addCached(scene, { behaviour: first(behaviour), ...ONCE })
      const answer = await cached.ask({ stream: true })
      assert.notEqual(outcomeOf(answer), 'HIT')
      assert.doesNotMatch(answer.text, /\[DONE\]/)
      await assertNotStored(cached, { stream: true })
    })
  }

  test('a stream whose first event comes after an error is only stored from the route that answered', async () => {
    const cached = await addCached(scene, {
      behaviour: first(behaviours.errorEventFirst()),
      retry: { maxAttempts: 2, initialBackoffMs: 1 },
    })
    const { text } = await cached.outcome('MISS', { stream: true })
    assert.equal(cached.calls, 2)
    assert.match(text, /\[DONE\]/)
    const again = await cached.outcome('HIT', { stream: true })
    assert.equal(again.text, text)
    assert.equal(again.headers['x-millrace-attempts'], '0')
  })

  for (const stream of [true, false]) {
    test(`${stream ? 'a stream' : 'an answer'} whose client has gone`, async () => {
      const cached = await addCached(scene, { behaviour: first(behaviours.stall('mid-body')) })
      const { request } = cached.begin({ stream })
      const seen = await waitFor(() => cached.calls === 1 && cached.seen[0])
      await waitFor(() => seen.bytesSent > 100)
      request.destroy()
      await within(5_000, "the provider's being let go", seen.ended)
      await assertNotStored(cached, { stream })
    })
  }

  test('an answer of more than 4 MiB, while one of less is', async () => {
    const cached = await addCached(scene, { behaviour: behaviours.huge(5 * MB) })
    for (let i = 1; i <= 2; i++) {
      assert.equal((await cached.outcome('MISS')).body.length > 5 * MB - 200, true)
      assert.equal(cached.calls, i)
    }
    const less = await addCached(scene, { behaviour: behaviours.huge(3 * MB) })
    const { body } = await less.outcome('MISS')
    assert.deepEqual((await less.outcome('HIT')).body, body)
  })

  test('a stream of more than 4 MiB, while one of less is', async () => {
    const of = (count: number) => behaviours.answer({ words: Array.from({ length: count }, () => 'x'.repeat(65_536)) })
    const cached = await addCached(scene, { behaviour: of(72) })
    for (let i = 1; i <= 2; i++) {
      const { text } = await cached.outcome('MISS', { stream: true })
      assert.match(text, /\[DONE\]\n\n$/)
      assert.equal(cached.calls, i)
    }
    const less = await addCached(scene, { behaviour: of(40) })
    const { body } = await less.outcome('MISS', { stream: true })
    assert.deepEqual((await less.outcome('HIT', { stream: true })).body, body)
  })
})

describe('an answer that has its reader call tools', { concurrency: true }, () => {
  const called = {
    tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'pay', arguments: '{"usd":1}' } }],
  }
  const old = { function_call: { name: 'pay', arguments: '{"usd":1}' } }
  const completion = (message: object, reason: string): Behaviour =>
    behaviours.raw(
      JSON.stringify({
        id: 'chatcmpl-tools',
        object: 'chat.completion',
        created: 1,
        model: 'upstream-model',
        choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: reason }],
      }),
    )
  const events = (delta: object, reason: string): Behaviour => {
    const chunk = (choice: object) =>
      JSON.stringify({
        id: 'chatcmpl-tools',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [choice],
      })
    return behaviours.events([
      chunk({ index: 0, delta: { role: 'assistant', content: null }, finish_reason: null }),
      chunk({ index: 0, delta, finish_reason: null }),
      chunk({ index: 0, delta: {}, finish_reason: reason }),
    ])
  }
  const cases: readonly [string, boolean, Behaviour][] = [
    ['tool_calls', false, completion(called, 'tool_calls')],
    // Some servers say so.
    ['tool_calls that ends with stop', false, completion(called, 'stop')],
    ['function_call', false, completion(old, 'function_call')],
    ['streamed tool_calls', true, events(called, 'tool_calls')],
    ['streamed tool_calls that end with stop', true, events(called, 'stop')],
    ['streamed function_call', true, events(old, 'function_call')],
  ]
  for (const [name, streams, behaviour] of cases) {
    test(`is stored only where its alias says so: ${name}`, async () => {
      const [not, stored] = [
        await addCached(scene, { behaviour }),
        await addCached(scene, { behaviour, cache: { storeToolCalls: true } }),
      ]
      for (let i = 1; i <= 2; i++) {
        await not.outcome('MISS', { stream: streams })
        assert.equal(not.calls, i)
      }
      const { text } = await stored.outcome('MISS', { stream: streams })
      assert.match(text, /\\"usd\\":1/)
      assert.equal((await stored.outcome('HIT', { stream: streams })).text, text)
    })
  }

  test('is not one that only speaks of tools', async () => {
    const cached = await addCached(scene, { behaviour: behaviours.answer({ words: ['"tool_calls":[{"id":1}]'] }) })
    for (const stream of [false, true]) await cached.ask({ stream, seed: Number(stream) })
    for (const stream of [false, true]) await cached.outcome('HIT', { stream, seed: Number(stream) })
  })
})

describe('memory', () => {
  test('is bounded by MILLRACE_CACHE_BYTES, and what is asked for again is not driven out by what is asked for once', async () => {
    await using gateway = await startGateway({ proxyEnv: { MILLRACE_CACHE_BYTES: String(2 * MB) } })
    const cached = await addCached(
      { gateway, upstream: scene.upstream },
      { behaviour: behaviours.answer({ words: ['x'.repeat(20_000)] }) },
    )
    for (let i = 0; i < 3; i++) await cached.ask({ seed: -1 })
    for (let seed = 0; seed < 400; seed++) await cached.ask({ seed })
    await cached.outcome('HIT', { seed: -1 })
    const calls = cached.calls
    // The newest first: what the others bring in must not drive them out before they are asked for.
    const answers = await Promise.all(Array.from({ length: 400 }, (_, i) => cached.ask({ seed: 399 - i })))
    const { HIT: hits = 0 } = outcomes(answers)
    // Some 100 answers of 20 KB find room.
    assert.ok(hits > 10 && hits <= 110, `${hits} hits`)
    assert.equal(cached.calls, calls + 400 - hits)
  })

  test('of 0 bytes keeps nothing, and all goes well', async () => {
    await using gateway = await startGateway({ proxyEnv: { MILLRACE_CACHE_BYTES: '0' } })
    const cached = await addCached({ gateway, upstream: scene.upstream })
    for (let i = 1; i <= 3; i++) {
      await cached.outcome('MISS')
      assert.equal(cached.calls, i)
    }
  })
})
