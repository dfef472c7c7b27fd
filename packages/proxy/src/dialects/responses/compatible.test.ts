/** What servers that only resemble OpenAI's do otherwise. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { StreamPart } from '../../canonical/answer.ts'
import { ResponsesStreamReader } from './stream-read.ts'
import { readResponseUsage } from './usage.ts'

function read(events: readonly object[]): StreamPart[] {
  const reader = new ResponsesStreamReader()
  return [...events.flatMap((event) => reader.take(JSON.stringify(event), '')), ...reader.close()]
}

const CALL = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'look', arguments: '{"a":1}' }
const added = (item: object): object => ({ type: 'response.output_item.added', output_index: 0, item })
const done = (item: object): object => ({ type: 'response.output_item.done', output_index: 0, item })
const END = { type: 'response.completed', response: { status: 'completed', output: [] } }

describe('a call that is whole from its beginning', () => {
  it('is none of the client, if it ends as what the provider has found', () => {
    const found = { type: 'search_results', queries: ['a'], results: [] }
    const parts = read([added({ ...CALL, status: 'completed' }), done(found), END])
    assert.deepEqual(
      parts.map(({ type }) => type),
      ['start', 'part', 'finish', 'done'],
    )
    assert.deepEqual(parts[2], {
      type: 'finish',
      choice: 0,
      finish: { reason: 'stop', own: 'completed', stopSequence: null },
    })
  })

  it('is told by its end, whatever came between', () => {
    const whole = { ...CALL, status: 'completed' }
    const delta = { type: 'response.function_call_arguments.delta', output_index: 0, item_id: 'fc_1', delta: '{"a":1}' }
    for (const between of [[], [delta]]) {
      const parts = read([added(whole), ...between, done(whole), END])
      assert.deepEqual(parts.slice(1, 3), [
        { type: 'tool_call', choice: 0, block: 0, id: 'call_1', name: 'look' },
        { type: 'arguments', choice: 0, block: 0, text: '{"a":1}' },
      ])
      const finish = parts[3]!
      assert.ok(finish.type === 'finish')
      assert.equal(finish.finish.reason, 'tool_calls')
    }
  })
})

describe('what a text rests on', () => {
  const [first, second] = ['a', 'b'].map((name) => ({ type: 'url_citation', url: `https://${name}.example/` }))
  const annotated = (annotation: unknown): object => ({
    type: 'response.output_text.annotation.added',
    output_index: 0,
    content_index: 0,
    annotation,
  })
  const text = { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Yes.' }
  const content = [{ type: 'output_text', text: 'Yes.', annotations: [first, second] }]
  for (const [name, told] of [
    ['event by event', [annotated(first), annotated(second)]],
    ['with its end alone', []],
    ['in part with its end', [annotated(first)]],
  ] as const) {
    it(`is told once, if it comes ${name}`, () => {
      const parts = read([text, ...told, done({ type: 'message', content }), END])
      assert.deepEqual(
        parts.flatMap((part) => (part.type === 'citation' ? [part.citation.url] : [])),
        ['https://a.example/', 'https://b.example/'],
      )
      assert.equal(parts.filter(({ type }) => type === 'text').length, 1)
    })
  }
})

describe('what was written into a cache', () => {
  for (const name of ['cache_write_tokens', 'cache_creation_input_tokens']) {
    it(`is read where it is called ${name}`, () => {
      const details = { cached_tokens: 2, [name]: 3 }
      const usage = readResponseUsage({ input_tokens: 9, input_tokens_details: details, output_tokens: 1 })!
      assert.deepEqual([usage.inputTokens, usage.cachedInputTokens, usage.cacheWriteTokens], [9, 2, 3])
    })
  }
})
