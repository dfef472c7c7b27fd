import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { ChatCompletionStream } from './stream.ts'

function take(stream: ChatCompletionStream, ...events: string[]): string[] {
  return events.map((event) => stream.take(event, 0, event.length))
}

const chunk = (rest: string, model = 'gpt-x') =>
  `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"${model}",${rest}}\n\n`
const content = (text: string) => chunk(`"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}}}]`)
const named = (event: string) => event.replace('"gpt-x"', '"alias"')

describe('ChatCompletionStream', () => {
  it('renames the model of every event and keeps every other byte', () => {
    const stream = new ChatCompletionStream('"alias"', false)
    const events = [
      chunk('"choices":[{"delta":{"role":"assistant","content":""}}]'),
      content('a'),
      content('b'),
      content('"model":"gpt-x"'),
    ]
    assert.deepEqual(take(stream, ...events), events.map(named))
    assert.equal(stream.contentEvents, 3)
  })

  it('renames it after content has begun, however it is spelt', () => {
    const odd = [
      'data:{"model" : "gpt-x","choices":[]}\n\n',
      'data: {"choices":[{"delta":{"content":"x"}}],"model":"gpt-x"}\r\n\r\n',
      chunk('"choices":[],"mod\\u0065l":"gpt-x"'),
      ': {"model":"gpt-x"}\ndata: {"model":"gpt-x"}\n\n',
      'id: 7\ndata: {"choices":[],\nevent: message\ndata: "model":"gpt-x"}\n\n',
      'data: {"choices":[],\ndata: "model":"gpt-x"}\n\n',
      'data: {"model":"gpt-x","x":{"model":"gpt-x"},"choices":[]}\n\n',
    ]
    const stream = new ChatCompletionStream('"alias"', false)
    take(stream, content('a'), content('b'))
    assert.deepEqual(take(stream, ...odd), [
      'data:{"model" : "alias","choices":[]}\n\n',
      'data: {"choices":[{"delta":{"content":"x"}}],"model":"alias"}\r\n\r\n',
      chunk('"choices":[],"mod\\u0065l":"alias"', 'alias'),
      ': {"model":"gpt-x"}\ndata: {"model":"alias"}\n\n',
      'id: 7\ndata: {"choices":[],\nevent: message\ndata: "model":"alias"}\n\n',
      'data: {"choices":[],\ndata: "model":"alias"}\n\n',
      'data: {"model":"alias","x":{"model":"gpt-x"},"choices":[]}\n\n',
    ])
    assert.deepEqual(take(stream, content('c')), [named(content('c'))])
  })

  it('knows its usage where a choice tells it, or Groq beside them', () => {
    const usage = '"usage":{"prompt_tokens":12,"completion_tokens":5}'
    for (const last of [
      chunk(`"choices":[{"index":0,"delta":{},"finish_reason":"stop",${usage}}]`),
      chunk(`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r",${usage}}`),
    ]) {
      const stream = new ChatCompletionStream('"alias"', true)
      assert.deepEqual(take(stream, content('a'), content('b'), last).at(-1), named(last))
      assert.deepEqual([stream.usage?.inputTokens, stream.usage?.outputTokens, stream.usageStart], [12, 5, -1])
    }
  })

  it('renames it behind a byte order mark', () => {
    const stream = new ChatCompletionStream('"alias"', false)
    const bom = '\u00ef\u00bb\u00bf'
    assert.deepEqual(take(stream, bom + content('a'), content('b')), [bom + named(content('a')), named(content('b'))])
  })

  it('sees an error whose name comes after its data', () => {
    const stream = new ChatCompletionStream('"alias"', false)
    take(stream, content('a'), content('b'))
    assert.deepEqual(take(stream, content('x').replace('\n\n', '\nevent: error\n\n')), [''])
    assert.notEqual(stream.error, null)
  })

  it('tells content from a role, a comment and a ping', () => {
    const stream = new ChatCompletionStream('"alias"', false)
    assert.deepEqual(take(stream, ': ping\n\n', 'event: ping\n\n'), [': ping\n\n', 'event: ping\n\n'])
    take(
      stream,
      chunk('"choices":[{"delta":{"role":"assistant","content":""}}]'),
      chunk('"choices":[{"delta":{},"finish_reason":null}]'),
    )
    assert.equal(stream.hasContent, false)
    take(stream, content('a'))
    assert.equal(stream.hasContent, true)
  })

  for (const delta of [
    '{"tool_calls":[{"index":0}]}',
    '{"refusal":"no"}',
    '{"reasoning_content":"hm"}',
    '{"reasoning":"hm"}',
  ]) {
    it(`takes ${delta} for content`, () => {
      const stream = new ChatCompletionStream('"alias"', false)
      take(stream, chunk(`"choices":[{"delta":${delta}}]`))
      assert.equal(stream.hasContent, true)
    })
  }

  it('reads usage, and takes out the chunk that holds nothing else if the gateway asked for it', () => {
    const usage = chunk(
      '"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":2,"audio_tokens":3,"cache_write_tokens":1},"completion_tokens_details":{"reasoning_tokens":4,"audio_tokens":5}}',
    )
    for (const drop of [true, false]) {
      const stream = new ChatCompletionStream('"alias"', drop)
      take(stream, content('a'), content('b'))
      assert.deepEqual(take(stream, usage), [drop ? '' : named(usage)])
      assert.deepEqual(stream.usage, {
        inputTokens: 9,
        outputTokens: 8,
        cachedInputTokens: 2,
        cacheWriteTokens: 1,
        reasoningTokens: 4,
        inputAudioTokens: 3,
        outputAudioTokens: 5,
        source: 'PROVIDER',
      })
    }
  })

  it('tells the chunk that holds nothing but usage from every other', () => {
    const usage = '"usage":{"prompt_tokens":9,"completion_tokens":8}'
    const last = chunk(`"choices":[{"delta":{},"finish_reason":"stop"}],${usage}`)
    const events: (readonly [event: string, onlyUsage: boolean])[] = [
      [content('a'), false],
      [chunk(`"choices":[],${usage}`), true],
      [content('b'), false],
      [chunk(usage), true],
      [last, false],
      [chunk(`"choices":[],${usage}`), true],
      [': ping\n\n', false],
      [chunk('"choices":[],"usage":null'), false],
      [chunk(`"choices":[],${usage}`), true],
      ['data: [DONE]\n\n', false],
    ]
    for (const drop of [true, false]) {
      const stream = new ChatCompletionStream('"alias"', drop)
      for (const [event, onlyUsage] of events) {
        assert.deepEqual(take(stream, event), [onlyUsage && drop ? '' : named(event)])
        assert.equal(stream.usageStart >= 0, onlyUsage && !drop, event)
      }
    }
  })

  it('keeps a chunk with usage that has content too', () => {
    const last = chunk(
      '"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}',
    )
    const stream = new ChatCompletionStream('"alias"', true)
    assert.deepEqual(take(stream, content('a'), last).at(-1), named(last))
    assert.equal(stream.usage?.outputTokens, 4)
  })

  it('knows the end', () => {
    for (const done of ['data: [DONE]\n\n', 'data:[DONE]\r\n\r\n', 'data: [DONE] \n\n']) {
      const stream = new ChatCompletionStream('"alias"', true)
      assert.deepEqual(take(stream, done), [done])
      assert.equal(stream.ended, true)
    }
  })

  it('takes an error out of the stream, in each of the shapes that providers use', () => {
    for (const [event, message] of [
      ['data: {"error":{"message":"é no","type":"server_error"}}\n\n', 'é no'],
      ['event: error\ndata: {"message":"no"}\n\n', 'no'],
      ['event: error\ndata: {"error":{"message":"no"}}\n\n', 'no'],
      ['data: {"error":"no"}\n\n', 'no'],
      ['event: error\ndata: not json\n\n', 'not json'],
    ] as const) {
      const stream = new ChatCompletionStream('"alias"', true)
      take(stream, content('a'), content('b'))
      const bytes = Buffer.from(event).toString('latin1')
      assert.deepEqual(take(stream, bytes), [''], event)
      assert.equal(stream.error?.message, message)
    }
  })

  it('takes "error": null for no error', () => {
    const stream = new ChatCompletionStream('"alias"', true)
    const event = chunk('"error":null,"choices":[{"delta":{"content":"x"}}]')
    assert.deepEqual(take(stream, event), [named(event)])
    assert.equal(stream.error, null)
  })

  it('counts usage:null chunks as content', () => {
    const stream = new ChatCompletionStream('"alias"', true)
    const event = chunk('"choices":[{"delta":{"content":"x"}}],"usage":null')
    assert.deepEqual(take(stream, event, event), [named(event), named(event)])
    assert.equal(stream.usage, null)
    assert.equal(stream.contentEvents, 2)
  })
})

describe('a stream that ends without [DONE]', () => {
  const told = (choices: string): string => `data: {"model":"x","choices":[${choices}],"usage":{"prompt_tokens":1}}\n\n`
  const begun = '{"index":0,"delta":{"content":"a"},"finish_reason":null}'
  const ended = '{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}'
  const close = (events: readonly string[], endsWithoutDone: boolean): [string, boolean] => {
    const stream = new ChatCompletionStream('"m"', false, endsWithoutDone)
    for (const event of events) stream.take(event, 0, event.length)
    return [stream.close(), stream.ended]
  }

  it('is whole where it is known to, once its choices have ended', () => {
    const all = [told(begun), told(begun), told(ended)]
    assert.deepEqual(close(all, true), ['data: [DONE]\n\n', true])
    assert.deepEqual(close(all, false), ['', false])
    assert.deepEqual(close(all.slice(0, 2), true), ['', false])
    assert.deepEqual(close([told(`${ended},${begun.replace('"index":0', '"index":1')}`)], true), ['', false])
    assert.deepEqual(close([], true), ['', false])
  })

  it('takes a choice that has no number for the first', () => {
    const odd = (choice: string): string => told(choice.replace('"index":0', '"index":{}'))
    assert.deepEqual(close([odd(begun), told(begun), odd(ended)], true), ['data: [DONE]\n\n', true])
  })
})

describe('an error in an error in an error', () => {
  it('is one all the same, however deep', () => {
    const stream = new ChatCompletionStream('"m"', false)
    take(stream, `data: {"error":${'{"error":'.repeat(50_000)}{}${'}'.repeat(50_000)}}\n\n`)
    assert.equal(stream.error?.message, 'unknown error')
  })
})
