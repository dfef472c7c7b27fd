import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { latin1Literal, utf8FromLatin1 } from '../../stream/json.ts'
import { foldChatStream } from './fold.ts'

const HEAD = '"id":"1","object":"chat.completion.chunk","created":1,"model":"m"'
const DONE = 'data: [DONE]\n\n'
const event = (json: string) => `data: ${json}\n\n`
const chunk = (choices: string, more = '') => event(`{${HEAD},"choices":[${choices}]${more}}`)
const delta = (json: string, more = '') => chunk(`{"index":0,"delta":${json}${more}}`)
const STOP = chunk('{"index":0,"delta":{},"finish_reason":"stop"}')

const folded = (...events: string[]) => foldChatStream([...events, DONE].join(''))

function read(text: string | null): any {
  assert.ok(text !== null, 'it can be folded')
  return JSON.parse(utf8FromLatin1(text))
}

/** The message of a stream of these deltas. */
const message = (...deltas: string[]) => read(folded(...deltas.map((json) => delta(json)), STOP)).choices[0].message

describe('foldChatStream', () => {
  it('makes one answer of a stream, its members as they are named there', () => {
    const text = folded(
      delta('{"role":"assistant","content":"","refusal":null}', ',"logprobs":null,"finish_reason":null'),
      delta('{"content":"Hel"}', ',"logprobs":null,"finish_reason":null'),
      delta('{"content":"lo"}', ',"logprobs":null,"finish_reason":null'),
      delta('{}', ',"logprobs":null,"finish_reason":"stop"'),
      chunk(
        '',
        ',"service_tier":"default","system_fingerprint":"fp","usage":{"prompt_tokens":1,"completion_tokens":2}',
      ),
    )
    assert.equal(
      text,
      '{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,' +
        '"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],' +
        '"service_tier":"default","system_fingerprint":"fp","usage":{"prompt_tokens":1,"completion_tokens":2}}',
    )
  })

  it('keeps choices apart that come by turns', () => {
    const piece = (index: number, content: string) => chunk(`{"index":${index},"delta":{"content":"${content}"}}`)
    const both = chunk('{"index":1,"delta":{"content":"!"}},{"index":0,"delta":{"content":"?"}}')
    const end = (index: number, reason: string) => chunk(`{"index":${index},"delta":{},"finish_reason":"${reason}"}`)
    const text = folded(
      piece(1, 'b'),
      piece(0, 'a'),
      piece(0, 'a'),
      piece(1, 'b'),
      both,
      end(1, 'length'),
      end(0, 'stop'),
    )
    assert.deepEqual(
      read(text).choices.map((choice: any) => [choice.index, choice.message.content, choice.finish_reason]),
      [
        [0, 'aa?', 'stop'],
        [1, 'bb!', 'length'],
      ],
    )
  })

  it('joins each kind of text, and tells null where there was none', () => {
    for (const name of ['refusal', 'reasoning', 'reasoning_content']) {
      const told = message(`{"role":"assistant","content":null,"${name}":""}`, `{"${name}":"a"}`, `{"${name}":"a"}`)
      assert.deepEqual(told, { role: 'assistant', content: null, [name]: 'aa' })
    }
    assert.deepEqual(message('{}'), { role: 'assistant', content: null })
    assert.deepEqual(message('{"role":""}', '{"role":null}'), { role: 'assistant', content: null })
    assert.deepEqual(message('{"content":""}'), { role: 'assistant', content: '' })
  })

  it('puts characters together that were cut, in escapes or in bytes', () => {
    assert.equal(message('{"content":"\\ud83d"}', '{"content":"\\ude00"}').content, '😀')
    const [first, second] = ['"\u00f0\u009f"', '"\u0098\u0080 \u00c3\u00a9"']
    assert.equal(message(`{"content":${first}}`, `{"content":${second}}`).content, '😀 é')
    assert.equal(message('{"content":"\\u00e9"}', `{"content":${latin1Literal('日本')}}`).content, 'é日本')
    assert.equal(message('{"content":"\\\\"}', '{"content":"\\""}', '{"content":"n"}').content, '\\"n')
  })

  it('keeps the digits of every number', () => {
    const logprobs = (logprob: string) => `,"logprobs":{"content":[{"token":"a","logprob":${logprob}}],"refusal":null}`
    const text = folded(
      delta('{"content":"a"}', logprobs('-0.12345678901234567890')),
      delta('{"content":"b"}', logprobs('-1.0')),
      delta('{"n":12345678901234567890}', ',"finish_reason":"stop"'),
      event(`{${HEAD.replace('"created":1', '"created":1e9')},"choices":[],"x":[1.10]}`),
    )
    assert.ok(text!.includes('{"token":"a","logprob":-0.12345678901234567890},{"token":"a","logprob":-1.0}'))
    for (const number of ['"n":12345678901234567890', '"created":1e9', '"x":[1.10]']) assert.ok(text!.includes(number))
  })

  it('joins logprobs of contents and of refusals', () => {
    const token = (name: string) => `{"token":"${name}"}`
    const text = folded(
      delta('{}', ',"logprobs":null'),
      delta('{}', `,"logprobs":{"content":[${token('a')}],"refusal":null}`),
      delta('{}', ',"logprobs":{"content":[],"refusal":[]}'),
      delta('{}', `,"logprobs":{"content":[${token('b')},${token('c')}],"refusal":[${token('d')}]}`),
      STOP,
    )
    assert.deepEqual(read(text).choices[0].logprobs, {
      content: [{ token: 'a' }, { token: 'b' }, { token: 'c' }],
      refusal: [{ token: 'd' }],
    })
  })

  it('gathers tool calls by their index', () => {
    const calls = (json: string) => `{"tool_calls":[${json}]}`
    const told = message(
      calls('{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}'),
      calls('{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\\"x\\""}}'),
      calls('{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}},{"index":0,"function":{"arguments":":1}"}}'),
      calls('{"index":2,"id":"c","type":"custom","custom":{"name":"h","input":"a"}}'),
      calls('{"index":2,"id":"","custom":{"name":"","input":"a"}}'),
    )
    assert.deepEqual(told.tool_calls, [
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
      { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
      { id: 'c', type: 'custom', custom: { name: 'h', input: 'aa' } },
    ])
  })

  it('takes each tool call without an index for a call of its own', () => {
    const call = (id: string) => `{"id":"${id}","function":{"name":"f","arguments":"{}"}}`
    const told = message(`{"tool_calls":[${call('a')},${call('b')}]}`, `{"tool_calls":[${call('c')}]}`)
    assert.deepEqual(
      told.tool_calls.map(({ id }: any) => id),
      ['a', 'b', 'c'],
    )
  })

  it("joins the text that Together tells beside each delta's", () => {
    const pieces = ['ha', 'ha', 'ha', '!'].map((text) =>
      chunk(`{"index":0,"text":"${text}","delta":{"content":"${text}"}}`),
    )
    const [choice] = read(folded(...pieces, STOP)).choices
    assert.deepEqual([choice.message.content, choice.text], ['hahaha!', 'hahaha!'])
  })

  it('reads a function call', () => {
    const told = message('{"function_call":{"name":"f","arguments":""}}', '{"function_call":{"arguments":"{}"}}')
    assert.deepEqual(told.function_call, { name: 'f', arguments: '{}' })
  })

  it('joins recordings, however their pieces are padded', () => {
    const audio = (json: string) => `{"audio":${json}}`
    const told = message(
      audio('{"id":"a","transcript":"Hel"}'),
      audio(`{"data":"${btoa('ab')}"}`),
      audio(`{"data":"${btoa('cde')}","transcript":"lo"}`),
      audio(`{"data":"${btoa('f')}"}`),
      audio('{"expires_at":5}'),
    )
    assert.deepEqual(told.audio, { id: 'a', transcript: 'Hello', data: btoa('abcdef'), expires_at: 5 })
    assert.equal(message(audio('{"data":"YW"}'), audio('{"data":"Jj"}')).audio.data, btoa('abc'))
  })

  it('takes a recording that tells when it expires for ended', () => {
    const text = folded(delta('{"audio":{"id":"a","data":"YWJj"}}'), delta('{"audio":{"expires_at":5}}'))
    assert.equal(read(text).choices[0].finish_reason, 'stop')
  })

  it('keeps what providers add', () => {
    const text = folded(
      chunk('{"index":0,"delta":{"thinking":"a","score":1}}', ',"citations":["x"],"obfuscation":"zz","usage":null'),
      chunk('{"index":0,"delta":{"thinking":"b","score":2,"x":{"y":1}},"native":"no"}', ',"citations":["x","y"]'),
      chunk('{"index":0,"delta":{"x":{"y":1},"images":[1]},"filter":{"a":1}}', ',"error":null'),
      chunk('{"index":0,"delta":{"images":[2]},"native":"yes","finish_reason":"stop"}'),
    )
    assert.deepEqual(read(text), {
      id: '1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: null, thinking: 'ab', score: 2, x: { y: 1 }, images: [1, 2] },
          native: 'yes',
          filter: { a: 1 },
          finish_reason: 'stop',
        },
      ],
      citations: ['x', 'y'],
      error: null,
    })
  })

  it('joins annotations', () => {
    assert.deepEqual(
      message('{"annotations":[1]}', '{"annotations":[]}', '{"annotations":[2,3]}').annotations,
      [1, 2, 3],
    )
  })

  it('keeps names that are spelt oddly, and knows those that it knows', () => {
    const told = message('{"c\\u006fntent":"a"}', '{"content":"b","\\u00e9":1,"__proto__":{"a":1}}')
    assert.deepEqual(Object.entries(told), [
      ['role', 'assistant'],
      ['content', 'ab'],
      ['é', 1],
      ['__proto__', { a: 1 }],
    ])
  })

  it("knows a message so far, as Perplexity's, from the message", () => {
    const text = folded(
      chunk('{"index":0,"message":{"content":"a"},"delta":{"role":"assistant","content":"a"}}'),
      chunk('{"index":0,"message":{"content":"ab"},"delta":{"content":"b"},"finish_reason":"stop"}'),
    )
    assert.deepEqual(read(text).choices[0].message, { role: 'assistant', content: 'ab' })
  })

  it('reads chunks that leave out what they can, as the first of Azure', () => {
    const text = folded(
      event('{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[1]}'),
      event('{"choices":[{"delta":{"content":"a"},"finish_reason":""}],"created":7,"id":"x","model":"m"}'),
      event('{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"id":"x"}'),
      event('{"object":"chat.completion.chunk","usage":{"prompt_tokens":1}}'),
    )
    assert.deepEqual(read(text), {
      choices: [{ index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }],
      created: 7,
      id: 'x',
      model: 'm',
      object: 'chat.completion',
      prompt_filter_results: [1],
      usage: { prompt_tokens: 1 },
    })
  })
})

describe('the framing of events', () => {
  const EVENTS = [delta('{"content":"a"}'), delta('{"content":"a"}'), delta('{"content":"b"}'), STOP, DONE]
  const expected = foldChatStream(EVENTS.join(''))

  for (const [name, stream] of [
    ['CR LF', EVENTS.join('').replaceAll('\n', '\r\n')],
    ['CR', EVENTS.join('').replaceAll('\n', '\r')],
    ['no space', EVENTS.join('').replaceAll('data: ', 'data:')],
    ['comments, ids and names', EVENTS.map((text, i) => `: ping\n\nid: ${i}\nevent: message\n${text}`).join('')],
    ['several lines of data', EVENTS.join('').replaceAll(',"', ',\ndata: "')],
    ['a byte order mark', `\u00ef\u00bb\u00bf${EVENTS.join('')}`],
    ['no blank line at the end', EVENTS.join('').trimEnd()],
    ['empty data', `data:\n\n${EVENTS.join('')}`],
  ] as const) {
    it(`may have ${name}`, () => {
      assert.deepEqual(read(foldChatStream(stream)), read(expected))
    })
  }
})
