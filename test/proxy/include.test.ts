/** What a request may ask of the gateway beside its answer: x-millrace-include and x-millrace-sync. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours, USAGE, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const scene = useScene()
const include = { 'x-millrace-include': 'metadata' }
const sync = { 'x-millrace-sync': 'true' }
/** USD per million tokens. */
const PRICES = { inputPrice: '2', outputPrice: '10', cachedInputPrice: '0.5' }
/** 15 tokens of input at 2, 4 from the cache at 0.5, 7 of output at 10. */
const COST_USD = 0.000102

interface Metadata {
  readonly request_id: string
  readonly provider: string
  readonly model: string
  readonly cached: boolean
  readonly cache_tier: string | null
  readonly attempts: number
  readonly latency_ms: number
  readonly cost_usd: string | number | null
}

function assertMetadata(metadata: Metadata, id: string, provider: string, attempts: number): void {
  assert.deepEqual(Object.keys(metadata).sort(), [
    'attempts',
    'cache_tier',
    'cached',
    'cost_usd',
    'latency_ms',
    'model',
    'provider',
    'request_id',
  ])
  const { latency_ms: latency, cost_usd: cost, ...rest } = metadata
  assert.deepEqual(rest, { request_id: id, provider, model: provider, cached: false, cache_tier: null, attempts })
  assert.ok(latency > 0 && latency < 60_000, String(latency))
  assert.ok(Math.abs(Number(cost) - COST_USD) < 1e-12, String(cost))
}

const data = (text: string): string[] =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => event.replace(/^data: /, ''))

describe('x-millrace-include: metadata', { concurrency: true }, () => {
  const failsOnce = () => behaviours.inTurn(behaviours.serverError(), behaviours.answer())

  test('stands in a JSON answer, whose other bytes are as they were', async () => {
    const routed = await scene.routed({ only: { ...PRICES, behaviour: failsOnce() } })
    const id = uniqueName('include')
    const answer = await scene.chat(scene.body(routed.model), { 'x-request-id': id, ...include })
    assert.equal(answer.status, 200, answer.text)
    const { metadata, ...rest } = JSON.parse(answer.text) as { metadata: Metadata } & Record<string, unknown>
    assertMetadata(metadata, id, routed.nameOf('only'), 2)
    const plain = await scene.chat(scene.body(routed.model))
    assert.deepEqual(rest, JSON.parse(plain.text))
    assert.ok(answer.text.startsWith(plain.text.slice(0, plain.text.lastIndexOf('}')).trimEnd()))
    const { 'content-length': length } = answer.headers
    if (length !== undefined) assert.equal(Number(length), answer.body.length)
  })

  for (const asked of [false, true]) {
    test(`stands in a stream's last chunk${asked ? ', which is that of its usage' : ''}`, async () => {
      const routed = await scene.routed({ only: { ...PRICES, behaviour: failsOnce() } })
      const id = uniqueName('include')
      const more = { stream: true, ...(asked ? { stream_options: { include_usage: true } } : {}) }
      const answer = await scene.chat(scene.body(routed.model, more), { 'x-request-id': id, ...include })
      const events = data(answer.text)
      assert.equal(events.pop(), '[DONE]')
      const chunks = events.map((text) => JSON.parse(text) as { metadata?: Metadata; usage?: unknown })
      const last = chunks.pop()!
      assertMetadata(last.metadata!, id, routed.nameOf('only'), 2)
      assert.deepEqual(last.usage ?? null, asked ? USAGE : null)
      for (const chunk of chunks) assert.equal(chunk.metadata, undefined)
    })
  }

  test('tells of the route that answered, also while another has been asked', async () => {
    // In one piece: a stream's last chunk is there as soon as its first.
    const good = behaviours.answer({ split: 'all' })
    let asked = 0
    const onceHedged: Behaviour = async (exchange) => {
      const count = ++asked
      await waitFor(() => routed.calls('b') === count, { what: 'the other to be asked' })
      await good(exchange)
    }
    const b = { behaviour: behaviours.stall('before-headers'), priority: 1 }
    const hedge = { afterMs: 200, maxExtraPercent: 100 }
    const routed: Routed<'a' | 'b'> = await scene.routed({ a: { behaviour: onceHedged }, b }, { hedge })
    for (const stream of [true, false]) {
      const answer = await scene.chat(scene.body(routed.model, { stream }), include)
      assert.equal(routed.by(answer), 'a')
      const last = stream ? data(answer.text).at(-2)! : answer.text
      const { metadata } = JSON.parse(last) as { metadata: Metadata }
      const { provider, model, attempts } = metadata
      assert.deepEqual([provider, model, attempts], [routed.nameOf('a'), routed.nameOf('a'), 2])
    }
  })

  test('can be read with the official SDK, and breaks nothing in it', async () => {
    const routed = await scene.routed({ only: PRICES })
    const client = scene.gateway.client()
    const messages = [{ role: 'user' as const, content: 'Say hello.' }]
    const options = { headers: include }
    const answer = await client.chat.completions.create({ model: routed.model, messages }, options)
    assert.equal(answer.choices[0]!.message.content, WORDS.join(''))
    assert.equal((answer as unknown as { metadata: Metadata }).metadata.attempts, 1)
    const stream = await client.chat.completions.create({ model: routed.model, messages, stream: true }, options)
    const chunks = await Array.fromAsync(stream)
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), WORDS.join(''))
    assert.equal((chunks.at(-1) as unknown as { metadata: Metadata }).metadata.provider, routed.nameOf('only'))
  })

  test('is not there unless it was asked for', async () => {
    for (const headers of [{}, { 'x-millrace-include': 'something-else' }]) {
      for (const stream of [false, true]) {
        const { text } = await scene.chat(scene.body(scene.alias, { stream }), headers)
        assert.doesNotMatch(text, /"request_id"|"cost_usd"/)
      }
    }
  })
})

describe('x-millrace-sync', () => {
  const ask = (id: string, more: Readonly<Record<string, unknown>>): Promise<Answer> =>
    scene.chat(scene.body(scene.alias, more), { 'x-request-id': id, ...sync })

  for (const stream of [false, true]) {
    test(`record and decision are there when ${stream ? 'the stream' : 'the answer'} ends`, async () => {
      for (let i = 0; i < 5; i++) {
        const id = uniqueName('sync')
        const answer = await ask(id, { stream })
        const [record] = await scene.gateway.stored(id)
        assert.equal(answer.status, 200)
        assert.ok(answer.complete)
        assert.equal(record?.status, 'SUCCESS')
        assert.equal(record.decision?.selectedRoute !== null, true)
        const { routeDecisions } = await scene.gateway.control.gql<{ routeDecisions: { edges: unknown[] } }>(
          'query ($id: String!) { routeDecisions(filter: { requestId: $id }) { edges { node { id } } } }',
          { id },
        )
        assert.equal(routeDecisions.edges.length, 1)
      }
    })
  }

  test('holds of an error, too', async () => {
    const model = await scene.behaving(uniqueName('sync-fails'), behaviours.serverError())
    const id = uniqueName('sync')
    const answer = await scene.chat(scene.body(model), { 'x-request-id': id, ...sync })
    assert.equal(answer.status, 502)
    const [record] = await scene.gateway.stored(id)
    assert.equal(record?.errorClass, 'all_routes_failed')
  })

  test("a stream's content does not wait for it", async () => {
    scene.upstream.next(behaviours.stall('mid-body'))
    const answer = await scene.open(scene.body(scene.alias, { stream: true }), sync)
    await within(10_000, 'the content', answer.until('from'))
    answer.abort()
  })

  test('ends without the control plane, too: after 5 seconds at most', async () => {
    await scene.gateway.control.kill9()
    for (const stream of [false, true]) {
      const answer = await within(20_000, 'the answer', ask(uniqueName('away'), { stream }))
      assert.equal(answer.status, 200)
      assert.ok(answer.complete)
    }
    await scene.gateway.control.restart()
    const id = uniqueName('back')
    await waitFor(async () => (await ask(id, {})).status === 200)
  })
})
