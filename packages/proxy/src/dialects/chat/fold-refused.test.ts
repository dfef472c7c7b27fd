import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { foldChatStream } from './fold.ts'

const HEAD = '"id":"1","object":"chat.completion.chunk","created":1,"model":"m"'
const DONE = 'data: [DONE]\n\n'
const event = (json: string) => `data: ${json}\n\n`
const chunk = (choices: string) => event(`{${HEAD},"choices":[${choices}]}`)
const delta = (json: string, more = '') => chunk(`{"index":0,"delta":${json}${more}}`)
const STOP = chunk('{"index":0,"delta":{},"finish_reason":"stop"}')

describe('what cannot be folded', () => {
  const fine = delta('{"content":"a"}')
  const twice = (json: string, other: string) => [delta(json), delta(other), STOP]

  for (const [name, events] of [
    ['nothing', []],
    ['an answer that has not ended', [fine]],
    ['an error', [fine, event('{"error":{"message":"no"}}'), STOP]],
    ['an error beside choices', [fine, delta('{}', ',"finish_reason":"stop"').replace('{"id"', '{"error":"no","id"')]],
    ['an error of a choice', [fine, delta('{}', ',"finish_reason":"error","error":{"code":502}')]],
    ['an event of errors', [fine, `event: error\n${delta('{"content":"no"}')}`, STOP]],
    ['an event that is no JSON', [fine, event('nonsense'), STOP]],
    ['a text that is cut off', [delta('{"content":"a}'), STOP]],
    ['an escape cut in two', twice('{"content":"a\\u00"}', '{"content":"41"}')],
    ['an escape cut in two in another text', twice('{"refusal":"a\\u00"}', '{"refusal":"41"}')],
    ['an escape that is none', twice('{"content":"a\\x"}', '{"content":"b"}')],
    ['a line end in a text', [fine, 'data: {"choices":[{"delta":{"content":"a\ndata: b"}}]}\n\n', STOP]],
    ['a value that is none', [delta('{"x":nul}'), STOP]],
    ['another object', [fine, event('{"object":"chat.completion.done","choices":[]}'), STOP]],
    ['an event of another kind', [fine, event('{"type":"ping"}'), STOP]],
    ['no choices', [event(`{${HEAD},"choices":[]}`)]],
    ['choices that are null', [event(`{${HEAD},"choices":null}`)]],
    ['a choice without a delta', [chunk('{"index":0,"message":{"content":"a"},"finish_reason":"stop"}')]],
    ['several choices without an index', [chunk('{"delta":{}},{"delta":{}}'), STOP]],
    ['an index that is none', [chunk('{"index":-1,"delta":{},"finish_reason":"stop"}')]],
    ['an index beyond all bounds', [chunk('{"index":1e9,"delta":{},"finish_reason":"stop"}')]],
    ['contents of parts', twice('{"content":[{"type":"text"}]}', '{"content":[{"type":"text"}]}')],
    [
      'two ids of one tool call',
      twice('{"tool_calls":[{"index":0,"id":"a"}]}', '{"tool_calls":[{"index":0,"id":"b"}]}'),
    ],
    [
      'two calls of one index and no id',
      twice(
        '{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}',
        '{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}',
      ),
    ],
    [
      'two calls of one index and only one id',
      twice(
        '{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}',
        '{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}',
      ),
    ],
    [
      'two calls of one index in one delta',
      [
        delta(`{"tool_calls":[${Array(2).fill('{"index":0,"id":"a","function":{"arguments":"{}"}}').join(',')}]}`),
        STOP,
      ],
    ],
    [
      'a call without an index whose id comes again',
      twice(
        '{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\\"x\\""}}]}',
        '{"tool_calls":[{"id":"a","function":{"arguments":":1}"}}]}',
      ),
    ],
    [
      'calls beyond all bounds',
      [
        delta(
          `{"tool_calls":[${Array(10_001)
            .fill(0)
            .map((_, i) => `{"id":"${i}"}`)
            .join(',')}]}`,
        ),
        STOP,
      ],
    ],
    ['a tool call without index and id', [delta('{"tool_calls":[{"function":{"arguments":"{}"}}]}'), STOP]],
    ['an unknown text that is always the same', twice('{"kind":"text"}', '{"kind":"text"}')],
    ['unknown arrays', twice('{"details":[1]}', '{"details":[1]}')],
    ['unknown objects', twice('{"details":{"a":1}}', '{"details":{"b":1}}')],
    ['arrays that end as objects do', [delta('{"annotations":[1}}'), delta('{"annotations":[2]}'), STOP]],
    ['arrays of a choice', [chunk('{"index":0,"delta":{},"ids":[1]}'), chunk('{"index":0,"ids":[1]}'), STOP]],
    ['recordings that are padded oddly', twice('{"audio":{"data":"YQ="}}', '{"audio":{"data":"YQ="}}')],
  ] as const) {
    it(name, () => {
      assert.equal(foldChatStream([...events, DONE].join('')), null)
    })
  }

  it('a stream without its terminal event', () => assert.equal(foldChatStream(fine + STOP), null))
  it('a stream that goes on after it', () => assert.equal(foldChatStream(fine + STOP + DONE + fine + DONE), null))
})
