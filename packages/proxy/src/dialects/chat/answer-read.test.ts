import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { chatWire } from './wire.ts'

const ENCODING = { dropped: [], answerTool: null, memo: null }

describe('an answer', () => {
  const answer = (value: unknown) => chatWire().read(value, ENCODING)

  it('of another API is none', () => {
    for (const value of [
      null,
      [],
      'a',
      {},
      { choices: [] },
      { choices: [{ text: 'a' }] },
      { type: 'message', content: [] },
    ]) {
      assert.equal(answer(value), null)
    }
  })

  it('may say that it is an error', () => {
    const told = answer({ error: { message: 'no', type: 't', code: null, param: 'p' } })
    assert.deepEqual(told, { kind: 'error', error: { message: 'no', type: 't', code: null, param: 'p' } })
  })
})

describe('a refusal', () => {
  const error = (body: unknown) => chatWire().readError(400, body)

  it('is read whatever form it has', () => {
    assert.equal(error('<html><body>502</body></html>').message, 'the provider answered 400')
    assert.equal(error('gone').message, 'gone')
    assert.equal(error({ detail: 'gone' }).message, 'gone')
    assert.deepEqual(error({ detail: [{ msg: 'm', type: 'extra_forbidden', loc: ['body', 'user'] }] }), {
      message: 'm',
      type: 'extra_forbidden',
      code: null,
      param: 'user',
    })
    assert.equal(error({ error: 'gone' }).message, 'gone')
    assert.equal(error({ object: 'error', message: { detail: [] }, type: 't' }).type, 't')
  })
})
