/** Streams that are given again: event by event, at either pace, and where the client asked for the other form. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type OpenAI from 'openai'

import { begin } from '../helpers/http.ts'
import { residentMegabytes } from '../helpers/memory.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours, completion, USAGE, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { addCached, numbered, recordOf, underWay, type Cached } from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'

const scene = useScene()
const STREAM = { stream: true }
const WITH_USAGE = { stream: true, stream_options: { include_usage: true } }

const eventsOf = (text: string): string[] => text.split('\n\n').filter(Boolean)

/** The chunks of HTTP in which an answer's body comes. */
function chunksOf(cached: Cached, more: object): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>()
  const socket = connect(scene.gateway.proxy.port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('error', reject)
  socket.on('data', (data: string) => (text += data))
  socket.on('end', () => {
    const start = text.indexOf('\r\n\r\n') + 4
    const chunks: string[] = []
    for (let at = start; ;) {
      const lineEnd = text.indexOf('\r\n', at)
      const size = Number.parseInt(text.slice(at, lineEnd), 16)
      if (!(size > 0)) break
      chunks.push(text.slice(lineEnd + 2, lineEnd + 2 + size))
      at = lineEnd + 2 + size + 2
    }
    resolve(chunks)
  })
  socket.write(cached.wire(more, 'connection: close\r\n'))
  return within(20_000, 'the answer', promise)
}

describe('a stream that is given again', { concurrency: true }, () => {
  for (const split of [1, 'event', 'all'] as const) {
    test(`comes in whole events, though they came in pieces of ${split}`, async () => {
      const cached = await addCached(scene, {
        behaviour: numbered({ split, words: Array.from({ length: 30 }, String) }),
      })
      const { text } = await cached.outcome('MISS', STREAM)
      const chunks = await chunksOf(cached, STREAM)
      assert.equal(chunks.join(''), text)
      for (const chunk of chunks) assert.match(chunk, /\n\n$/)
      assert.equal(cached.calls, 1)
    })
  }

  for (const [name, behaviour] of Object.entries({
    'CRLF at the end of lines': behaviours.crlf(),
    'CR at the end of lines': behaviours.cr(),
    'no space': behaviours.noSpace(),
    comments: behaviours.comments(),
    'other fields': behaviours.fields(),
    'no last blank line': behaviours.noLastBlankLine(),
    'events of 300 KB': behaviours.bigEvents(),
    'letters beyond ASCII': behaviours.answer({ words: ['é', '中文', '\u{1f600}', '\u2028'] }),
  })) {
    test(`is as it was: ${name}`, async () => {
      const cached = await addCached(scene, { behaviour })
      const { body } = await cached.outcome('MISS', STREAM)
      assert.deepEqual((await cached.outcome('HIT', STREAM)).body, body)
    })
  }

  for (const first of [STREAM, WITH_USAGE]) {
    test(`tells its usage to who asks for it, ${first === STREAM ? 'though not' : 'and'} the first did`, async () => {
      const cached = await addCached(scene)
      const original = await cached.outcome('MISS', first)
      const [without, having] = [await cached.outcome('HIT', STREAM), await cached.outcome('HIT', WITH_USAGE)]
      assert.equal((first === STREAM ? without : having).text, original.text)
      assert.doesNotMatch(without.text, /"prompt_tokens"|"choices":\[\]/)
      const [usage, done] = eventsOf(having.text).slice(-2)
      assert.equal(done, 'data: [DONE]')
      const { choices, usage: told } = JSON.parse(usage!.slice('data: '.length)) as OpenAI.ChatCompletionChunk
      assert.deepEqual([choices, told], [[], USAGE])
      // OpenAI has `"usage":null` in all other chunks, if it is asked for usage at all.
      const words = (text: string): string[] => [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word!)
      assert.deepEqual(words(without.text), words(having.text))
      assert.equal(cached.calls, 1)
      const record = await recordOf(scene.gateway, without)
      assert.deepEqual([record.usage.source, record.usage.outputTokens], ['PROVIDER', USAGE.completion_tokens])
    })
  }

  test('comes at once, or with its pauses where its alias says so', async () => {
    // Seven words and four events beside, of which the last may be in one piece with another.
    const behaviour = behaviours.answer({ words: ['1', '2', '3', '4', '5', '6', '7'], gapMs: 300 })
    const fast = await addCached(scene, { behaviour })
    const paced = await addCached(scene, { behaviour, cache: { replayPace: 'RECORDED' } })
    await Promise.all([fast.outcome('MISS', STREAM), paced.outcome('MISS', STREAM)])
    const took = async (cached: Cached): Promise<number> => {
      const began = performance.now()
      await cached.outcome('HIT', STREAM)
      return performance.now() - began
    }
    const long = await took(paced)
    // The quickest of some: a machine may stand still for a moment.
    const short = Math.min(await took(fast), await took(fast), await took(fast))
    assert.ok(long > 1_800 && long < 20_000, `${long} ms at the pace recorded`)
    assert.ok(short < long / 2, `${short} ms at full speed, ${long} ms at the pace recorded`)
  })
})

describe('in the other form', { concurrency: true }, () => {
  const messages = [{ role: 'user' as const, content: 'Say hello.' }]
  const text = `${WORDS.join('')} #1`

  test('an answer is read as a stream by the official SDK', async () => {
    const cached = await addCached(scene)
    const client = scene.gateway.client()
    const whole = await client.chat.completions.create({ model: cached.model, messages })
    for (const usage of [false, true]) {
      const { data, response } = await client.chat.completions
        .create({ model: cached.model, messages, stream: true, stream_options: { include_usage: usage } })
        .withResponse()
      assert.equal(response.headers.get('x-cache'), 'HIT')
      assert.match(String(response.headers.get('content-type')), /^text\/event-stream/)
      const chunks = await Array.fromAsync(data)
      assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), text)
      assert.equal(chunks[0]!.choices[0]!.delta.role, 'assistant')
      assert.ok(chunks.some(({ choices }) => choices[0]?.finish_reason === 'stop'))
      for (const { id, model, object } of chunks)
        assert.deepEqual([id, model, object], [whole.id, cached.model, 'chat.completion.chunk'])
      assert.deepEqual(chunks.at(-1)!.usage ?? null, usage ? USAGE : null)
    }
    assert.equal(cached.calls, 1)
  })

  test('a stream is read as an answer by the official SDK', async () => {
    const cached = await addCached(scene)
    const client = scene.gateway.client()
    const chunks = await Array.fromAsync(
      await client.chat.completions.create({ model: cached.model, messages, stream: true }),
    )
    const { data, response } = await client.chat.completions.create({ model: cached.model, messages }).withResponse()
    assert.equal(response.headers.get('x-cache'), 'HIT')
    assert.match(String(response.headers.get('content-type')), /^application\/json/)
    const [choice, another] = data.choices
    assert.equal(another, undefined)
    assert.deepEqual(
      [choice!.message.role, choice!.message.content, choice!.finish_reason],
      ['assistant', text, 'stop'],
    )
    assert.deepEqual([data.object, data.id, data.model], ['chat.completion', chunks[0]!.id, cached.model])
    assert.deepEqual(data.usage, USAGE)
    assert.equal(Number(response.headers.get('x-millrace-cost-usd')), 0)
    assert.equal(cached.calls, 1)
  })

  test('tool calls, refusals and several choices are as they were', async () => {
    const called = { id: 'call_1', type: 'function', function: { name: 'pay', arguments: '{"usd": 1}' } }
    const choices = [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hé', refusal: null },
        logprobs: null,
        finish_reason: 'length',
      },
      {
        index: 1,
        message: { role: 'assistant', content: null, tool_calls: [called] },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
      {
        index: 2,
        message: { role: 'assistant', content: null, refusal: 'No.' },
        logprobs: null,
        finish_reason: 'stop',
      },
    ]
    const behaviour: Behaviour = (exchange) =>
      behaviours.raw(JSON.stringify({ ...completion(String(exchange.seen.model)), choices }))(exchange)
    const cached = await addCached(scene, { behaviour, cache: { storeToolCalls: true } })
    await cached.outcome('MISS', { n: 3 })
    const client = scene.gateway.client()
    const stream = client.chat.completions.stream({ model: cached.model, messages, n: 3 })
    const folded = await stream.finalChatCompletion().catch((error: unknown) => error)
    // The SDK refuses what was cut off for its length; what it has read by then is all the same.
    const snapshot = folded instanceof Error ? stream.currentChatCompletionSnapshot! : (folded as OpenAI.ChatCompletion)
    const told = snapshot.choices.map(({ index, finish_reason: reason, message }) => [
      index,
      reason,
      message.content ?? null,
      message.refusal ?? null,
      message.tool_calls?.map((call) =>
        call.type === 'function' ? [call.id, call.function.name, call.function.arguments] : [],
      ) ?? [],
    ])
    assert.deepEqual(told, [
      [0, 'length', 'Hé', null, []],
      [1, 'tool_calls', null, null, [['call_1', 'pay', '{"usd": 1}']]],
      [2, 'stop', null, 'No.', []],
    ])
    assert.equal(cached.calls, 1)
  })
})

describe('a client of a large stream that is given again', () => {
  const large = behaviours.answer({ words: Array.from({ length: 60 }, (_, i) => String(i % 10).repeat(65_536)) })

  test('that does not read makes the proxy hold nothing: a hundred of them', async () => {
    const cached = await addCached(scene, { behaviour: large })
    const { body } = await cached.outcome('MISS', STREAM)
    await cached.outcome('HIT', STREAM)
    const { pid, port } = scene.gateway.proxy
    const before = residentMegabytes(pid)
    // A kernel takes all of one such stream. So each asks for it several times, without waiting for an answer.
    using stack = new DisposableStack()
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').pause())
    for (const socket of sockets) stack.adopt(socket, (one) => one.destroy())
    for (const socket of sockets) socket.on('error', () => undefined).write(cached.wire(STREAM).repeat(4))
    // A proxy that answers meanwhile has had the time to hold what it would.
    for (let i = 0; i < 20; i++) assert.deepEqual((await cached.outcome('HIT', STREAM)).body, body)
    const after = residentMegabytes(pid)
    const [first, ...rest] = sockets
    for (const socket of rest) socket.destroy()
    if (before !== null && after !== null) assert.ok(after - before < 100, `${before} MB became ${after} MB`)
    let text = ''
    first!
      .setEncoding('latin1')
      .on('data', (data: string) => (text += data))
      .resume()
    await waitFor(() => text.split('[DONE]').length === 5, { what: 'four streams', timeoutMs: 20_000 })
    assert.ok(text.length > 4 * body.length)
    assert.equal(cached.calls, 1)
  })

  test('that goes in its middle is recorded so, and others have it whole', async () => {
    const spoken = new Spoken()
    const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: { replayPace: 'RECORDED' } })
    const first = cached.outcome('MISS', STREAM)
    await waitFor(() => cached.calls === 1)
    spoken.say('1', '2')
    await sleep(3_000)
    spoken.say('3', '4')
    spoken.end()
    const { text } = await first
    const answer = await cached.open(STREAM)
    assert.equal(answer.headers['x-cache'], 'HIT')
    await answer.until('"2"')
    answer.abort()
    const record = await recordOf(scene.gateway, answer)
    assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['CANCELLED', 499, 'client_cancelled'])
    assert.deepEqual([record.cache, record.usage.billed, Number(record.costUsd)], ['HIT', false, 0])
    assert.equal((await cached.outcome('HIT', STREAM)).text, text)
  })

  test('that goes at once leaves nothing behind', async () => {
    const cached = await addCached(scene, { behaviour: large })
    await cached.outcome('MISS', STREAM)
    const headers = { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json' }
    for (let i = 0; i < 50; i++) {
      const { request } = begin(scene.chatUrl, { headers })
      request.end(cached.body(STREAM))
      setTimeout(() => request.destroy(), i % 7)
    }
    await underWay(scene.gateway.proxy, 0)
    await cached.outcome('HIT', STREAM)
  })
})
