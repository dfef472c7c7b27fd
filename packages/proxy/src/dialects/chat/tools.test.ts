import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { chatCallsTools } from './tools.ts'

const STREAM = { ends: [], at: [], usagePart: -1 }
const CALL = '{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}'

const inAnswer = (message: string) => chatCallsTools(`{"choices":[{"message":{}},{"message":${message}}]}`, null)
const inStream = (delta: string) =>
  chatCallsTools(
    `data: {"choices":[{"delta":{"role":"assistant"}}]}\n\ndata: {"choices":[{"delta":{}},{"delta":${delta}}]}\n\n` +
      'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    STREAM,
  )

describe('chatCallsTools', () => {
  for (const [part, expected] of [
    [`{"tool_calls":[${CALL}]}`, true],
    [`{"tool_calls" : [ ${CALL} ] }`, true],
    [`{"tool\\u005fcalls":[${CALL}]}`, true],
    [`{"\\u0074ool_calls":[${CALL}]}`, true],
    [`{"tool\\u005Fcalls":[${CALL}]}`, true],
    [`{"tool_call\\u0073":[${CALL}]}`, true],
    ['{"function_call":{"name":"f","arguments":"{}"}}', true],
    ['{"functio\\u006e_call":{"name":"f","arguments":"{}"}}', true],
    ['{"tool_calls":[],"function_call":{}}', false],
    ['{"tool_calls":null,"function_call":null}', false],
    ['{"content":"tool_calls"}', false],
    [`{"content":${JSON.stringify(`"tool_calls":[${CALL}] \\u005f`)}}`, false],
    ['{"content":"\\u0074ool","x":{"tool_calls":[1]}}', false],
    ['{"content":"a"}', false],
  ] as const) {
    it(`${expected ? 'sees' : 'sees none in'} ${part}`, () => {
      assert.equal(inAnswer(part), expected)
      assert.equal(inStream(part), expected)
    })
  }

  it('sees one whatever the line ends, and in a last event without a blank line', () => {
    const events = `data: {"choices":[\ndata: {"delta":{"tool_calls":[${CALL}]}}]}\n\n`
    for (const text of [events, events.replaceAll('\n', '\r\n'), events.replaceAll('\n', '\r'), events.trimEnd()]) {
      assert.equal(chatCallsTools(text, STREAM), true)
    }
  })

  it('supposes one where an answer says that it ends with one', () => {
    for (const reason of ['tool_calls', 'function_call']) {
      const text = `{"choices":[{"message":{"content":[{"type":"tool_use"}]},"delta":{},"finish_reason":"${reason}"}]}`
      assert.equal(chatCallsTools(text, null), true)
      assert.equal(chatCallsTools(`data: ${text}\n\ndata: [DONE]\n\n`, STREAM), true)
    }
  })

  it('supposes one in choices that are no list', () => {
    assert.equal(chatCallsTools(`{"choices":{"0":{"message":{"tool_calls":[${CALL}]}}}}`, null), true)
    assert.equal(chatCallsTools('{"choices":null,"x":"tool_calls"}', null), false)
  })

  it('supposes one in what cannot be read', () => {
    const half = `{"choices":[{"message":{"tool_calls":[${CALL}`
    assert.equal(chatCallsTools(half, null), true)
    assert.equal(chatCallsTools(`data: ${half}\n\n`, STREAM), true)
  })
})
