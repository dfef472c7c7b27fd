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
