import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { begin, delta, end, finish, in0, read, START, stop } from './events.fixture.ts'

describe('calls in a stream', () => {
  it('gives tools back their names, and those that take any text their text', () => {
    const memo = { names: new Map([['f_1', 'f.1']]), customs: ['f.1'], stop: null }
    const json = JSON.stringify({ input: 'line\n"two" \\ \ud83d\ude00' })
    for (const length of [1, 2, 5, 100]) {
      const pieces = json.match(new RegExp(`[^]{1,${length}}`, 'g'))!
      const parts = read(
        [
          begin(0, { toolUse: { toolUseId: 'a', name: 'f_1' } }),
          ...pieces.map((input) => delta(0, { toolUse: { input } })),
          end(0),
        ],
        memo,
      )
      assert.deepEqual(parts[1], in0(0, { type: 'tool_call', id: 'a', name: 'f.1', kind: 'custom' }))
      const texts = parts.slice(2).map((part) => (part.type === 'arguments' ? part.text : assert.fail()))
      assert.equal(texts.join(''), 'line\n"two" \\ \ud83d\ude00')
    }
    const other = read(
      [begin(0, { toolUse: { name: 'f_1' } }), delta(0, { toolUse: { input: '{"a":1}' } }), end(0)],
      memo,
    )
    assert.deepEqual(other.at(-1), in0(0, { type: 'arguments', text: '{"a":1}' }))
  })

  it('tells calls of the client that have a type', () => {
    const parts = read([begin(0, { toolUse: { toolUseId: 'a', name: 'f_1', type: 'tool_use' } })])
    assert.deepEqual(parts.at(-1), in0(0, { type: 'tool_call', id: 'a', name: 'f_1' }))
  })

  it('tells no arguments of a call that was broken off before any', () => {
    const parts = read([begin(0, { toolUse: { toolUseId: 'a', name: 'f' } }), stop('max_tokens')])
    assert.deepEqual(parts.slice(1), [
      in0(0, { type: 'tool_call', id: 'a', name: 'f' }),
      finish('length', 'max_tokens'),
      { type: 'done' },
    ])
  })

  it('leaves out what Bedrock runs itself', () => {
    const parts = read([
      begin(0, { toolUse: { toolUseId: 'a', name: 'search', type: 'server_tool_use' } }),
      delta(0, { toolUse: { input: '{}' } }),
      begin(1, { toolResult: { toolUseId: 'a' } }),
      delta(1, { toolResult: [{ text: 'x' }] }),
      delta(2, { text: 'a' }),
    ])
    assert.deepEqual(parts, [START, in0(0, { type: 'text', text: 'a' })])
  })
})
