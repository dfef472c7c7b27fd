import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { redact, redactRefusal } from '../request/failure.ts'
import { secretsIn } from './key-parts.ts'

const ID = 'AKIAIOSFODNN7EXAMPLE'
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const TOKEN = 'IQoJb3JpZ2luX2VjEXAMPLE//token+=='

describe('secretsIn', () => {
  it('takes a key of AWS apart, and leaves any other as it is', () => {
    assert.deepEqual(secretsIn(`${ID}:${SECRET}`), [`${ID}:${SECRET}`, SECRET])
    assert.deepEqual(secretsIn(`${ID}:${SECRET}:${TOKEN}`).slice(1), [SECRET, TOKEN])
    for (const key of ['sk-abc', 'a:b', '{', '']) assert.deepEqual(secretsIn(key), [key])
  })
})

describe('what is told of a failure', () => {
  for (const key of [
    `${ID}:${SECRET}:${TOKEN}`,
    JSON.stringify({ accessKeyId: ID, secretAccessKey: SECRET, sessionToken: TOKEN }),
  ]) {
    it(`holds no part of a key such as ${key.slice(0, 3)}…`, () => {
      const said = `${key} ${SECRET} ${encodeURIComponent(SECRET)} ${TOKEN} ${JSON.stringify({ key })}`
      const shown = redact(said, key)
      for (const secret of [SECRET, TOKEN, encodeURIComponent(SECRET)]) assert.ok(!shown.includes(secret), shown)
      const refusal = { status: 403, headers: { 'x-said': SECRET }, body: Buffer.from(`no: ${TOKEN}`) }
      const { headers, body } = redactRefusal(refusal, key)
      assert.deepEqual([headers['x-said'], body.toString()], ['[redacted]', 'no: [redacted]'])
    })
  }
})
