import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readError } from './errors.ts'

describe('readError', () => {
  for (const [name, status, body, headers, told] of [
    [
      'the header names',
      400,
      { message: 'too long' },
      { 'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/' },
      { message: 'too long', type: 'ValidationException' },
    ],
    [
      'the body names',
      500,
      { Message: 'no', __type: 'com.amazon.coral.service#InternalServerException' },
      {},
      { message: 'no', type: 'InternalServerException' },
    ],
    ['nobody names', 503, { message: 'busy' }, {}, { message: 'busy', type: null }],
    [
      'tells of a key that has expired',
      400,
      { message: 'expired' },
      { 'x-amzn-errortype': 'ExpiredTokenException' },
      { message: 'expired', type: 'ExpiredTokenException', status: 401 },
    ],
    [
      'tells of a key that is not known',
      403,
      { message: 'invalid' },
      { 'x-amzn-errortype': 'UnrecognizedClientException' },
      { message: 'invalid', type: 'UnrecognizedClientException', status: 401 },
    ],
    [
      'tells that it is too much',
      400,
      { __type: 'ThrottlingException', message: 'slow' },
      {},
      { message: 'slow', type: 'ThrottlingException', status: 429 },
    ],
    [
      "is the model's fault",
      424,
      { message: 'broken' },
      { 'x-amzn-errortype': 'ModelErrorException' },
      { message: 'broken', type: 'ModelErrorException', status: 502 },
    ],
    [
      'is wrapped, and says no more than its name',
      404,
      { Output: { __type: 'com.amazon.coral.service#UnknownOperationException' }, Version: '1.0' },
      {},
      { message: 'UnknownOperationException', type: 'UnknownOperationException' },
    ],
    ['is no JSON', 502, '<html>\n Bad </html>', {}, { message: '<html> Bad </html>', type: null }],
    ['is empty', 500, '', {}, { message: 'unknown error', type: null }],
  ] as const) {
    it(`reads one that ${name}`, () => {
      assert.deepEqual(readError(status, body, headers), { code: null, param: null, ...told })
    })
  }
})
