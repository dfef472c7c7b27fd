/** Bedrock's binary streams: what clients get of them, whole, cut anywhere, broken or broken off. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type OpenAI from 'openai'

import { addBedrock, API_KEY, FRAMES } from '../helpers/bedrock.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { binaryEvents, errorFrame, eventFrame, exceptionFrame } from '../helpers/upstream/event-stream.ts'

let client: OpenAI
const scene = useScene({}, async (made) => {
  client = made.gateway.client()
  await addBedrock(made, 'by-key', API_KEY)
})
const messages = [{ role: 'user' as const, content: 'Say hello.' }]

describe('streams', () => {
  for (const split of ['frame', 1, 7, 10_000] as const) {
    test(`in pieces of ${split}`, async () => {
      scene.upstream.next(binaryEvents(FRAMES, split))
      const { data: stream, response } = await client.chat.completions
        .create({ model: 'by-key', messages, stream: true, stream_options: { include_usage: true } })
        .withResponse()
      assert.match(response.headers.get('content-type')!, /^text\/event-stream/)
      const chunks = await Array.fromAsync(stream)
      assert.deepEqual(
        chunks.map(({ choices }) => choices[0]?.delta.content ?? choices[0]?.finish_reason ?? null).filter(Boolean),
        ['Grüße, ', '😀', 'stop'],
      )
      assert.equal(chunks.at(-1)!.usage!.prompt_tokens, 12)
      assert.deepEqual(new Set(chunks.map(({ model }) => model)), new Set(['by-key']))
      const record = await scene.gateway.record(response.headers.get('x-request-id')!)
      assert.deepEqual([record.status, record.usage.inputTokens, record.usage.source], ['SUCCESS', 12, 'PROVIDER'])
    })
  }

  test('calls of tools come as they are written', async () => {
    scene.upstream.next(
      binaryEvents([
        eventFrame('contentBlockStart', '{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"f"}}}'),
        eventFrame('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\\"n\\":1.10"}}}'),
        eventFrame('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"toolUse":{"input":"}"}}}'),
        eventFrame('contentBlockStop', '{"contentBlockIndex":0}'),
        eventFrame('messageStop', '{"stopReason":"tool_use"}'),
      ]),
    )
    const tools = [{ type: 'function' as const, function: { name: 'f', parameters: { type: 'object' } } }]
    const completion = await client.chat.completions.stream({ model: 'by-key', messages, tools }).finalChatCompletion()
    const [choice] = completion.choices
    assert.equal(choice!.finish_reason, 'tool_calls')
    assert.deepEqual(
      choice!.message.tool_calls!.map((call) => [call.id, call.type === 'function' && call.function.arguments]),
      [['t1', '{"n":1.10}']],
    )
  })

  const broken = Buffer.from(FRAMES[1]!)
  broken[broken.length - 10]! ^= 1
  for (const [name, frames, errorClass] of [
    ['an exception', [FRAMES[0]!, exceptionFrame('throttlingException', 'slow down')], 'stream_error'],
    ['an error', [FRAMES[0]!, errorFrame('InternalFailure', 'no')], 'stream_error'],
    ['a broken frame', [FRAMES[0]!, broken], 'upstream_invalid'],
    ['half a stream', FRAMES.slice(0, 1), 'stream_truncated'],
    ['half a frame', [FRAMES[0]!, FRAMES[1]!.subarray(0, 50)], 'stream_truncated'],
  ] as const) {
    test(`${name} before the first content is tried again`, async () => {
      scene.upstream.next(binaryEvents(frames), binaryEvents(FRAMES))
      const { data: stream, response } = await client.chat.completions
        .create({ model: 'by-key', messages, stream: true })
        .withResponse()
      const chunks = await Array.fromAsync(stream)
      assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'Grüße, 😀')
      const { attempts } = await scene.gateway.record(response.headers.get('x-request-id')!)
      assert.deepEqual(
        attempts.map((attempt) => attempt.errorClass),
        [errorClass, null],
      )
    })

    test(`${name} after it is told to the client`, async () => {
      const later = [...FRAMES.slice(0, 3), ...frames.slice(1)]
      scene.upstream.next(binaryEvents(later))
      const answer = await scene.chat({ model: 'by-key', messages, stream: true })
      assert.equal(answer.status, 200)
      const events = answer.text.trim().split('\n\n')
      assert.ok(JSON.parse(events.at(-1)!.slice('data: '.length)).error, answer.text)
      assert.ok(!answer.text.includes('[DONE]'))
      const record = await scene.gateway.record(String(answer.headers['x-request-id']))
      assert.equal(record.attempts[0]!.errorClass, errorClass)
    })
  }

  test('an answer in another dialect is none', async () => {
    const other = behaviours.raw('{"choices":[]}')
    scene.upstream.next(other, other)
    await assert.rejects(client.chat.completions.create({ model: 'by-key', messages }), {
      status: 502,
      code: 'all_routes_failed',
    })
    const html = behaviours.raw('<html></html>', { headers: { 'content-type': 'application/vnd.amazon.eventstream' } })
    scene.upstream.next(html, html)
    await assert.rejects(client.chat.completions.create({ model: 'by-key', messages, stream: true }), { status: 502 })
  })
})
