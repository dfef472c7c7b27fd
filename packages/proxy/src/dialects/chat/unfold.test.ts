import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { eventData, EventSplitter } from '../../stream/events.ts'
import { ChatCompletionStream } from './stream.ts'
import { unfoldChatAnswer } from './unfold.ts'

const answer = (choices: string, more = '') =>
  `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[${choices}]${more}}`
const choice = (message: string, more = '') => `{"index":0,"message":${message}${more},"finish_reason":"stop"}`

/** The data of each event but the last, which ends the stream. */
function data(text: string): string[] {
  const form = unfoldChatAnswer(text)
  assert.ok(form, 'it can be unfolded')
  const splitter = new EventSplitter()
  splitter.push(form.events)
  const found: string[] = []
  while (splitter.next()) found.push(eventData(splitter.text.slice(splitter.start, splitter.end))!)
  assert.equal(splitter.rest(), '')
  assert.equal(found.pop(), '[DONE]')
  return found
}

const chunks = (text: string): any[] => data(text).map((json) => JSON.parse(json))
const deltas = (message: string): any[] => chunks(answer(choice(message))).map(({ choices }) => choices[0].delta)

describe('unfoldChatAnswer', () => {
  it('tells an answer as OpenAI streams it', () => {
    const head = '{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","service_tier":"t"'
    const usage = '{"prompt_tokens":1,"completion_tokens":2}'
    const none = '"logprobs":null,"finish_reason"'
    assert.deepEqual(
      data(
        answer(
          choice('{"role":"assistant","content":"Hello","refusal":null}', ',"logprobs":null'),
          `,"usage":${usage},"service_tier":"t"`,
        ),
      ),
      [
        `${head},"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},${none}:null}]}`,
        `${head},"choices":[{"index":0,"delta":{"content":"Hello"},${none}:null}]}`,
        `${head},"choices":[{"index":0,"delta":{},${none}:"stop"}]}`,
        `${head},"choices":[],"usage":${usage}}`,
      ],
    )
  })

  it('tells usage in a part by itself', () => {
    const usage = '{"prompt_tokens":1,"completion_tokens":2}'
    const { events, ends, usagePart } = unfoldChatAnswer(answer(choice('{"content":"a"}'), `,"usage":${usage}`))!
    assert.equal(ends.at(-1), events.length)
    const parts = ends.map((end, i) => events.slice(ends[i - 1] ?? 0, end))
    const stream = new ChatCompletionStream('"m"', false)
    const onlyUsage = parts.map((part) => {
      stream.take(part, 0, part.length)
      return stream.usageStart >= 0
    })
    assert.deepEqual(onlyUsage, [false, true, false])
    assert.equal(usagePart, 1)
    assert.equal(parts[2], 'data: [DONE]\n\n')
  })

  for (const usage of ['', ',"usage":null']) {
    it(`has no such part where usage is ${usage === '' ? 'not told' : 'null'}`, () => {
      const { events, ends, usagePart } = unfoldChatAnswer(answer(choice('{"content":"a"}'), usage))!
      assert.deepEqual([ends, usagePart], [[events.length], -1])
      assert.ok(!events.includes('usage'))
    })
  }

  it('tells what a model thought before what it said, and what belongs to it after', () => {
    assert.deepEqual(
      deltas(
        '{"role":"assistant","content":"a","annotations":[1],"reasoning_content":"b","x":1,"y":null,' +
          '"audio":{"id":"c"},"function_call":{"name":"f","arguments":"{}"}}',
      ),
      [
        { role: 'assistant', content: '' },
        { reasoning_content: 'b', x: 1 },
        { content: 'a' },
        { annotations: [1] },
        { audio: { id: 'c' } },
        { function_call: { name: 'f', arguments: '{}' } },
        {},
      ],
    )
  })

  it('numbers tool calls', () => {
    assert.deepEqual(
      deltas(
        '{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},' +
          '{"index":7,"id":"b","type":"custom","custom":{"name":"g","input":"i"}}]}',
      ),
      [
        { role: 'assistant', content: null },
        { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        { tool_calls: [{ index: 1, id: 'b', type: 'custom', custom: { name: 'g', input: 'i' } }] },
        {},
      ],
    )
  })

  it('says a refusal, and nothing where nothing was said', () => {
    assert.deepEqual(deltas('{"role":"assistant","content":null,"refusal":"no","tool_calls":null}'), [
      { role: 'assistant', content: null, refusal: '' },
      { refusal: 'no' },
      {},
    ])
    assert.deepEqual(deltas('{"role":"assistant","content":"","tool_calls":[]}'), [
      { role: 'assistant', content: '' },
      {},
    ])
  })

  it('keeps contents of parts', () => {
    assert.deepEqual(deltas('{"content":[{"type":"text"}]}'), [
      { role: 'assistant' },
      { content: [{ type: 'text' }] },
      {},
    ])
  })

  it('tells logprobs with the text, or without', () => {
    const logprobs = ',"logprobs":{"content":[{"logprob":-0.12345678901234567890}],"refusal":null}'
    for (const message of ['{"content":"a"}', '{"content":null}']) {
      const texts = data(answer(choice(message, logprobs)))
      assert.deepEqual(
        texts.map((text) => text.includes(logprobs)),
        [false, true, false],
      )
    }
  })

  it('tells each choice, and in its last chunk what else belongs to it and to the answer', () => {
    const second =
      '{"index":1,"message":{"content":"b"},"finish_reason":"length","native":"x","delta":{"content":"no"}}'
    const last = '"citations":[1.10],"x":{"y":null}'
    const texts = data(answer(`${choice('{"content":"a"}', ',"filter":{}')},${second}`, `,${last},"usage":{}`))
    assert.deepEqual(
      texts.map((text) => JSON.parse(text).choices[0]?.index),
      [0, 0, 0, 1, 1, 1, undefined],
    )
    assert.ok(texts[2]!.endsWith('"choices":[{"index":0,"delta":{},"finish_reason":"stop","filter":{}}]}'))
    assert.ok(texts[5]!.endsWith(`{"index":1,"delta":{},"finish_reason":"length","native":"x"}],${last}}`))
    assert.ok(!texts.join('').includes('"no"'))
  })

  it('reads an answer that is written in lines', () => {
    const text = answer(choice('{"content":"a  \\n b","x":[1,\r\n\t2]}'), ',"usage":{"prompt_tokens":1}')
    const lines = JSON.stringify(JSON.parse(text), null, 2)
    assert.deepEqual(chunks(lines), chunks(text))
    assert.deepEqual(chunks(lines)[1].choices[0].delta, { x: [1, 2] })
  })

  it('numbers choices that are not', () => {
    const bare = '{"message":{"content":"a"},"finish_reason":"stop"}'
    const indices = chunks(answer(`${bare},${bare}`)).map(({ choices }) => choices[0].index)
    assert.deepEqual(indices, [0, 0, 0, 1, 1, 1])
  })

  for (const [name, text] of [
    ['nothing', ''],
    ['what is no JSON', answer(choice('{"content":nul}'))],
    ['half of an answer', answer(choice('{"content":"a"}')).slice(0, -1)],
    ['an error', '{"error":{"message":"no"}}'],
    ['an error beside choices', answer(choice('{"content":"a"}'), ',"error":{"message":"no"}')],
    ['another object', '{"object":"list","choices":[]}'],
    ['no choices', answer('')],
    ['choices that are null', '{"choices":null}'],
    ['a choice without a message', answer('{"index":0,"text":"a","finish_reason":"stop"}')],
    ['a choice without an end', answer('{"index":0,"message":{"content":"a"},"finish_reason":null}')],
    ['two choices of one index', answer(`${choice('{}')},${choice('{}')}`)],
    ['two choices of one index, spelt otherwise', answer(`${choice('{}')},${choice('{}').replace(':0', ':0.0')}`)],
    ['an index that is none', answer(choice('{}').replace(':0', ':"0"'))],
    ['an error of a choice', answer(choice('{"content":"a"}', ',"error":{"code":502}'))],
    [
      'what would be beyond all bounds',
      answer(choice(`{"tool_calls":[${Array(1_000).fill('{}').join(',')}]}`)).replace(
        '"1"',
        `"${'1'.repeat(100_000)}"`,
      ),
    ],
    ['tool calls that are none', answer(choice('{"tool_calls":["a"]}'))],
  ] as const) {
    it(`refuses ${name}`, () => assert.equal(unfoldChatAnswer(text), null))
  }
})
