import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { encoding } from './streamed.fixture.ts'
import { generateWire } from './wire.ts'

describe('errors', () => {
  const info = (reason: string): object => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason })

  it('tell what they are of', () => {
    const error = {
      code: 429,
      message: 'Too much.',
      status: 'RESOURCE_EXHAUSTED',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.RetryInfo',
          retryDelay: '12.5s',
        },
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: [{ field: 'contents[0]' }],
        },
      ],
    }
    const expected = {
      message: 'Too much.',
      type: 'RESOURCE_EXHAUSTED',
      code: null,
      param: 'contents[0]',
      retryAfterMs: 12_500,
    }
    for (const body of [{ error }, [{ error }]]) {
      assert.deepEqual(generateWire.readError(429, body, {}), expected)
      assert.deepEqual(generateWire.read(body, encoding), { kind: 'error', error: expected })
    }
  })

  it('of keys are of authentication', () => {
    const error = { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' }
    for (const body of [{ error }, { error: { ...error, message: 'x', details: [info('API_KEY_INVALID')] } }]) {
      assert.equal(generateWire.readError(400, body, {}).status, 401)
    }
    assert.equal(generateWire.readError(400, { error: { ...error, message: 'x' } }, {}).status, undefined)
  })

  it('that are none say what there is', () => {
    const told = (body: unknown): string => generateWire.readError(500, body, {}).message
    assert.equal(told('<html>\n no </html>'), '<html> no </html>')
    for (const body of [{}, { error: 'x' }, null, [], { error: {} }]) assert.equal(told(body), 'unknown error')
    assert.equal(told({ error: { status: 'INTERNAL', details: 7, message: 7 } }), 'INTERNAL')
  })
})
