/** The four timeouts of an attempt: connect, first token, idle, total. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError, assertErrorBody } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredRecord } from '../helpers/stored-record.ts'
import { unacceptingPort } from '../helpers/unaccepting.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const scene = useScene()
const timedOut = { status: 504, type: 'timeout_error', code: 'upstream_timeout' }
/** Long after any of the timeouts here, retries and their pauses included, and long before their defaults. */
const LONG_MS = 30_000

function assertTimedOut(record: StoredRecord, errorClass: string, httpStatus = 504): void {
  assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['TIMEOUT', httpStatus, 'upstream_timeout'])
  assert.equal(record.attempts.at(-1)!.errorClass, errorClass)
}

describe('before anything has gone to the client: 504', () => {
  test('connect', { skip: process.platform === 'linux' ? false : 'a full backlog hangs on Linux only' }, async () => {
    await using full = await unacceptingPort()
    const model = await scene.gateway.serve(`http://127.0.0.1:${full.port}/v1`, { timeouts: { connect: 300 } })
    const answer = await within(LONG_MS, 'the answer', scene.chat(scene.body(model)))
    assertError(answer, timedOut)
    assertTimedOut(await scene.gateway.record(String(answer.headers['x-request-id'])), 'connect_timeout')
  })

  for (const point of ['before-headers', 'after-headers', 'before-first-token'] as const) {
    test(`first token: stalled ${point}`, async () => {
      const model = await scene.behaving(`first-${point}`, behaviours.stall(point), { timeouts: { firstToken: 300 } })
      const answer = await within(LONG_MS, 'the answer', scene.chat(scene.body(model, { stream: true })))
      assertError(answer, timedOut)
      assertTimedOut(await scene.gateway.record(String(answer.headers['x-request-id'])), 'first_token_timeout')
      assert.equal((await scene.upstream.last.ended).finished, false, 'the upstream was let go')
    })
  }

  test('pings are no content: the first token is still waited for in vain', async () => {
    const pings = behaviours.events([], { done: null })
    const model = await scene.behaving(
      'pings',
      async (exchange) => {
        exchange.head(200, { 'content-type': 'text/event-stream' })
        while (!exchange.signal.aborted) {
          exchange.write(': ping\n\n')
          await exchange.pause(50)
        }
        await pings(exchange)
      },
      { timeouts: { firstToken: 400 } },
    )
    const answer = await within(LONG_MS, 'the answer', scene.chat(scene.body(model, { stream: true })))
    assertError(answer, timedOut)
    assertTimedOut(await scene.gateway.record(String(answer.headers['x-request-id'])), 'first_token_timeout')
  })

  test('the first token has no say in an unstreamed answer', async () => {
    const model = await scene.behaving('slow-json', behaviours.answer({ afterMs: 1_000 }), {
      timeouts: { firstToken: 200 },
    })
    assert.equal((await scene.chat(scene.body(model))).status, 200)
  })

  test('total: an unstreamed answer that never begins', async () => {
    const model = await scene.behaving('no-json', behaviours.stall('before-headers'), { timeouts: { total: 400 } })
    const answer = await within(LONG_MS, 'the answer', scene.chat(scene.body(model)))
    assertError(answer, timedOut)
    assertTimedOut(await scene.gateway.record(String(answer.headers['x-request-id'])), 'total_timeout')
  })

  test('idle: an unstreamed answer that stops in the middle', async () => {
    const model = await scene.behaving('half-json', behaviours.stall('mid-body'), { timeouts: { idle: 300 } })
    const answer = await within(LONG_MS, 'the answer', scene.chat(scene.body(model)))
    assertError(answer, timedOut)
    assertTimedOut(await scene.gateway.record(String(answer.headers['x-request-id'])), 'idle_timeout')
  })
})

describe('in mid-stream: an error event, no [DONE], and what had come has reached the client', () => {
  const assertBrokenOff = (text: string): void => {
    const events = text.split('\n\n').filter(Boolean)
    assertErrorBody(events.at(-1)!.replace(/^data: /, ''), timedOut)
    assert.doesNotMatch(text, /\[DONE\]/)
    for (const word of WORDS.slice(0, 2)) assert.ok(text.includes(JSON.stringify(word)), word)
  }

  test('idle', async () => {
    // What it says comes in one packet: a slow machine must not make a stall within.
    const behaviour = behaviours.stall('mid-body', { split: 'all' })
    const model = await scene.behaving('idle', behaviour, { timeouts: { idle: 300 } })
    const id = uniqueName('idle')
    const answer = await within(
      LONG_MS,
      'the end',
      scene.chat(scene.body(model, { stream: true }), { 'x-request-id': id }),
    )
    assert.equal(answer.status, 200)
    assertBrokenOff(answer.text)
    const record = await scene.gateway.record(id)
    assertTimedOut(record, 'idle_timeout', 200)
    assert.equal(record.usage.source, 'ESTIMATED')
    assert.ok(record.usage.outputTokens > 0)
    assert.equal(record.attempts.length, 1, 'nothing is tried again once the client has the first byte')
  })

  test('total, of a stream that goes on and on', async () => {
    const model = await scene.behaving(
      'trickle',
      behaviours.answer({ words: [...WORDS, ...Array.from({ length: 500 }, () => ' on')], gapMs: 50 }),
      {
        timeouts: { total: 3_000, idle: 60_000 },
      },
    )
    const id = uniqueName('total')
    const answer = await within(
      LONG_MS,
      'the end',
      scene.chat(scene.body(model, { stream: true }), { 'x-request-id': id }),
    )
    assert.equal(answer.status, 200)
    assertBrokenOff(answer.text)
    assertTimedOut(await scene.gateway.record(id), 'total_timeout', 200)
  })
})

describe('a client that is slow', () => {
  test('is not taken for a slow provider', async () => {
    const timeouts = { idle: 3_000, firstToken: 3_000 }
    const model = await scene.behaving('fast', behaviours.endless(), { timeouts })
    const id = uniqueName('slow-client')
    const answer = await scene.open(scene.body(model, { stream: true }), { 'x-request-id': id })
    answer.stream.pause()
    await sleep(5_000)
    let read = 0
    answer.stream.on('data', (chunk: Buffer) => (read += chunk.length))
    answer.stream.resume()
    // More than lay in any buffer: the provider is still being read.
    await waitFor(() => read > 32 * 1_024 * 1_024, { what: 'the stream to go on', timeoutMs: 60_000 })
    answer.abort()
    const { status, attempts } = await scene.gateway.record(id)
    assert.deepEqual([status, attempts.length], ['CANCELLED', 1])
  })
})

describe('the alias', () => {
  test("has timeouts of its own, over the provider's", async () => {
    const alias = { timeouts: { firstToken: 300 } }
    const model = await scene.behaving('own-first', behaviours.stall('before-headers'), {}, alias)
    const answer = await within(LONG_MS, 'the answer', scene.chat(scene.body(model, { stream: true })))
    assertError(answer, timedOut)
    assertTimedOut(await scene.gateway.record(String(answer.headers['x-request-id'])), 'first_token_timeout')
  })

  test('that sets one leaves the others as they are', async () => {
    const alias = { timeouts: { firstToken: 60_000 } }
    const timeouts = { idle: 300 }
    const model = await scene.behaving('own-other', behaviours.stall('mid-body'), { timeouts }, alias)
    const answer = await within(LONG_MS, 'the answer', scene.chat(scene.body(model)))
    assertError(answer, timedOut)
    assertTimedOut(await scene.gateway.record(String(answer.headers['x-request-id'])), 'idle_timeout')
  })
})

test('a stream is not ended for being slow, only for being idle', async () => {
  const model = await scene.behaving('slow', behaviours.answer({ gapMs: 500 }), {
    timeouts: { idle: 3_000, firstToken: 3_000 },
  })
  const answer = await scene.chat(scene.body(model, { stream: true }))
  assert.match(answer.text, /\[DONE\]/)
})
