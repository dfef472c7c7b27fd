import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readAwsKey } from './aws-key.ts'

const ID = 'AKIAIOSFODNN7EXAMPLE'
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const TOKEN = 'IQoJb3JpZ2luX2VjEXAMPLE//token+=='

describe('readAwsKey', () => {
  it('reads a line', () => {
    assert.deepEqual(readAwsKey(`${ID}:${SECRET}`), {
      accessKeyId: ID,
      secretAccessKey: SECRET,
      sessionToken: null,
    })
    assert.deepEqual(readAwsKey(`${ID}:${SECRET}:${TOKEN}`), {
      accessKeyId: ID,
      secretAccessKey: SECRET,
      sessionToken: TOKEN,
    })
  })

  it("reads JSON as AWS's tools print it", () => {
    const read = { accessKeyId: ID, secretAccessKey: SECRET, sessionToken: TOKEN }
    assert.deepEqual(readAwsKey(JSON.stringify(read)), read)
    const capital = { Version: 1, AccessKeyId: ID, SecretAccessKey: SECRET, SessionToken: TOKEN, Expiration: 'x' }
    assert.deepEqual(readAwsKey(JSON.stringify(capital)), read)
    assert.equal(readAwsKey(JSON.stringify({ accessKeyId: ID, secretAccessKey: SECRET }))?.sessionToken, null)
  })

  it('takes nothing else for one', () => {
    for (const key of [
      'ABSKQmVkcm9ja0FQSUtleS1leGFtcGxlOmtleQ==',
      'bedrock-api-key-YmVkcm9jay5hbWF6b25hd3M=',
      `${ID}:`,
      `${ID}:${SECRET}:${TOKEN}:x`,
      '{"accessKeyId":"a"}',
      '{',
      '',
    ]) {
      assert.equal(readAwsKey(key), null, key)
    }
  })
})
