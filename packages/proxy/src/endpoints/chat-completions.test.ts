import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { GatewayError } from '@millrace/shared'

import { chatCompletions } from './chat-completions.ts'

const encode = (body: string, model = 'gpt-x') => chatCompletions.parse(Buffer.from(body)).encode(model).toString()

const MESSAGES = '"messages":[{"role":"user","content":"é \\"model\\": 日本"}]'

describe('encode', () => {
  for (const [name, body, expected] of [
    ['first', `{"model":"a",${MESSAGES}}`, `{"model":"gpt-x",${MESSAGES}}`],
    ['last, with odd spacing', `{ ${MESSAGES} ,\n "model" : "a" }`, `{ ${MESSAGES} ,\n "model" : "gpt-x" }`],
    [
      'beside a nested one',
      `{"model":"a","x":{"model":"a"},${MESSAGES}}`,
      `{"model":"gpt-x","x":{"model":"a"},${MESSAGES}}`,
    ],
    ['twice', `{"model":"b",${MESSAGES},"model":"a"}`, `{"model":"gpt-x",${MESSAGES},"model":"gpt-x"}`],
    [
      'twice, one of them escaped',
      `{"model":"a",${MESSAGES},"mod\\u0065l":"a"}`,
      `{"model":"gpt-x",${MESSAGES},"mod\\u0065l":"gpt-x"}`,
    ],
    ['with its value escaped', `{"model":"\\u0061",${MESSAGES}}`, `{"model":"gpt-x",${MESSAGES}}`],
    [
      'among numbers',
      `{"model":"a","t":1.0,"u":1e3,"n":12345678901234567890,${MESSAGES}}`,
      `{"model":"gpt-x","t":1.0,"u":1e3,"n":12345678901234567890,${MESSAGES}}`,
    ],
  ] as const) {
    it(`replaces a model that stands ${name}, and nothing else`, () => {
      assert.equal(encode(body), expected)
    })
  }

  it('sends the very bytes where the model is the same', () => {
    const body = Buffer.from(`{"model":"a",${MESSAGES}}`)
    assert.equal(chatCompletions.parse(body).encode('a'), body)
  })

  it('sends one name alone where the model is the same and stands there twice', () => {
    for (const other of ['"model"', '"mod\\u0065l"'])
      assert.equal(encode(`{${other}:"b",${MESSAGES},"model":"a"}`, 'a'), `{${other}:"a",${MESSAGES},"model":"a"}`)
  })

  it('asks for usage if a stream does not', () => {
    assert.equal(
      encode(`{"model":"a","stream":true,${MESSAGES}}`),
      `{"stream_options":{"include_usage":true},"model":"gpt-x","stream":true,${MESSAGES}}`,
    )
    assert.equal(
      encode(`{"model":"a","stream":true,"stream_options":{"include_usage":false,"x":1},${MESSAGES}}`),
      `{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true,"x":1},${MESSAGES}}`,
    )
    assert.equal(
      encode(`{"model":"a","stream":true,"stream_options":null,${MESSAGES}}`),
      `{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},${MESSAGES}}`,
    )
  })

  it('leaves a stream that asks for usage, and an answer that is no stream, alone', () => {
    const asking = `{"model":"a","stream":true,"stream_options":{"include_usage":true},${MESSAGES}}`
    assert.equal(encode(asking, 'a'), asking)
    assert.equal(encode(`{"model":"a","stream":false,${MESSAGES}}`, 'a'), `{"model":"a","stream":false,${MESSAGES}}`)
  })
})

describe('parse', () => {
  for (const [body, code] of [
    ['', 'invalid_json'],
    ['nonsense', 'invalid_json'],
    ['[]', 'invalid_json'],
    ['null', 'invalid_json'],
    ['"text"', 'invalid_json'],
    [Buffer.from('{"model":"\xff"}', 'latin1'), 'invalid_json'],
    ['{}', 'model_required'],
    ['{"model":""}', 'model_required'],
    ['{"model":7}', 'model_required'],
    ['{"model":"a"}', 'messages_required'],
    ['{"model":"a","messages":[]}', 'messages_required'],
    ['{"model":"a","messages":"hi"}', 'messages_required'],
  ] as const) {
    it(`refuses ${JSON.stringify(String(body))} with ${code}`, () => {
      assert.throws(
        () => chatCompletions.parse(Buffer.from(body)),
        (error) => error instanceof GatewayError && error.code === code,
      )
    })
  }
})

describe('a call', () => {
  const usage = 'data: {"model":"x","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'

  for (const [options, includesUsage] of [
    ['"stream":true,"stream_options":{"include_usage":true}', true],
    ['"stream":true,"stream_options":{"include_usage":false}', false],
    ['"stream":true,"stream_options":null', false],
    ['"stream":true', false],
    ['"stream":false,"stream_options":{"include_usage":true}', false],
  ] as const) {
    it(`with ${options} ${includesUsage ? 'asks' : 'does not ask'} for usage`, () => {
      assert.equal(
        chatCompletions.parse(Buffer.from(`{"model":"a",${options},${MESSAGES}}`)).includesUsage,
        includesUsage,
      )
    })
  }

  it('has the event that only tells usage left out of a stream for which it did not ask, or kept', () => {
    for (const asks of [true, false]) {
      const body = `{"model":"a","stream":true,"stream_options":{"include_usage":${asks}},${MESSAGES}}`
      for (const keep of [true, false]) {
        const observer = chatCompletions.parse(Buffer.from(body)).observe(keep)
        assert.equal(observer.take(usage, 0, usage.length), asks || keep ? usage.replace('"x"', '"a"') : '')
        assert.equal(observer.usageStart >= 0, asks || keep)
      }
    }
  })

  it('has its bytes until it is released', () => {
    const body = Buffer.from(`{"model":"a",${MESSAGES}}`)
    const call = chatCompletions.parse(body)
    assert.deepEqual(Buffer.from(call.text, 'latin1'), body)
    call.release()
    assert.equal(call.text, '')
  })
})

describe('the two forms of an answer', () => {
  const message = '"message":{"role":"assistant","content":"é","tool_calls":[{"id":"a"}]},"finish_reason":"stop"'
  const answer = Buffer.from(`{"id":"1","object":"chat.completion","choices":[{"index":0,${message}}]}`).toString(
    'latin1',
  )

  it('say the same', () => {
    const { events, ends, usagePart } = chatCompletions.unfold(answer)!
    assert.equal(chatCompletions.fold(events), answer)
    assert.ok(chatCompletions.callsTools(answer, null))
    assert.ok(chatCompletions.callsTools(events, { ends, at: ends.map(() => 0), usagePart }))
  })

  it('are of requests that differ in nothing but what is not keyed', () => {
    assert.deepEqual([...chatCompletions.unkeyed].sort(), ['metadata', 'stream', 'stream_options', 'user'])
  })
})
