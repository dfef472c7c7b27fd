/** Unstreamed answers that are larger than what is held: passed on as they come, and ended as they end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { within } from '../helpers/wait.ts'

const SIZE = 300_000
const scene = useScene({ proxyEnv: { MILLRACE_MAX_BODY_BYTES: '4096' } })

describe('an answer over MILLRACE_MAX_BODY_BYTES', () => {
  for (const [name, behaviour] of [
    ['of a known length', behaviours.huge(SIZE)],
    ['in chunks', behaviours.answer({ words: ['x'.repeat(SIZE)], chunked: 10_000 })],
  ] as const) {
    test(`${name}: passes whole, by the client's name of the model`, async () => {
      scene.upstream.next(behaviour)
      const id = uniqueName('large')
      const answer = await scene.chat(scene.body(), { 'x-request-id': id })
      assert.equal(answer.status, 200)
      assert.ok(answer.complete)
      const expected = scene.upstream.last.sent.toString().replace('"upstream-model"', '"scene-alias"')
      assert.ok(expected.length > SIZE / 2 && expected.includes('"scene-alias"'))
      assert.ok(answer.text === expected, `${answer.text.length} bytes of ${expected.length} came, or others`)
      const { 'content-length': length } = answer.headers
      if (length !== undefined) assert.equal(Number(length), answer.body.length)
      const record = await scene.gateway.record(id)
      assert.deepEqual([record.status, record.httpStatus, record.usage.source], ['SUCCESS', 200, 'ESTIMATED'])
      assert.ok(record.usage.outputTokens > 0)
    })
  }

  test("broken off: the client's connection breaks", async () => {
    scene.upstream.next(behaviours.huge(SIZE, 'cut'))
    const id = uniqueName('large')
    const answer = await scene.chat(scene.body(), { 'x-request-id': id })
    assert.equal(answer.status, 200)
    assert.equal(answer.complete, false)
    assert.ok(answer.text.includes('"scene-alias"') && answer.body.length < SIZE)
    const record = await scene.gateway.record(id)
    assert.deepEqual([record.status, record.httpStatus, record.usage.source], ['ERROR', 200, 'ESTIMATED'])
    assert.ok(record.errorClass && record.errorMessage)
    const [attempt] = record.attempts
    assert.deepEqual([attempt!.errorClass, attempt!.upstreamStatus], ['transport_error', 200])
    assert.ok(attempt!.errorMessage)
  })

  test("stalled: the client's connection breaks when the idle time is over", async () => {
    const model = await scene.behaving('large-stalled', behaviours.huge(SIZE, 'stall'), { timeouts: { idle: 300 } })
    const id = uniqueName('large')
    const answer = await within(30_000, 'the end', scene.chat(scene.body(model), { 'x-request-id': id }))
    assert.equal(answer.complete, false)
    const record = await scene.gateway.record(id)
    assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['TIMEOUT', 200, 'upstream_timeout'])
    const [attempt] = record.attempts
    assert.deepEqual([attempt!.errorClass, attempt!.upstreamStatus], ['idle_timeout', 200])
  })

  test('cancelled by its client: the provider is let go', async () => {
    scene.upstream.next(behaviours.huge(SIZE, 'stall'))
    const count = scene.upstream.requests.length + 1
    const id = uniqueName('large')
    const answer = await scene.open(scene.body(), { 'x-request-id': id })
    await answer.until('xxx')
    answer.abort()
    const ended = await within(1_000, "the upstream request's end", (await scene.upstream.seen(count)).ended)
    assert.equal(ended.cutByUs, false)
    const record = await scene.gateway.record(id)
    assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['CANCELLED', 499, 'client_cancelled'])
    assert.equal(record.attempts[0]!.errorClass, 'client_cancelled')
    assert.equal(record.usage.source, 'ESTIMATED')
  })
})
