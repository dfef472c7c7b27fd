/** `x-millrace-metadata` is a stranger's text: whatever it is, it harms nobody else. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { send } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'

const scene = useScene()
/** As deep as Node's limit of headers lets through: deeper than a serializer that calls itself can go. */
const DEPTH = 7_500
const nested = `${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`

describe('nested without measure', () => {
  for (const [name, metadata] of [
    ['a list', nested],
    ['an object', `{"a":${nested}}`],
  ] as const) {
    test(`${name}, without a key: 401, and a record`, async () => {
      const id = uniqueName('nested')
      const headers = { 'x-request-id': id, 'x-millrace-metadata': metadata }
      const answer = await send(scene.chatUrl, { headers, body: JSON.stringify(scene.body()) })
      assertError(answer, { status: 401, type: 'authentication_error', code: 'invalid_api_key' })
      const record = await scene.gateway.record(id)
      assert.deepEqual([record.status, record.httpStatus, record.metadata], ['REJECTED', 401, null])
      assert.ok(scene.gateway.proxy.running)
    })

    for (const stream of [false, true]) {
      test(`${name}, with a token${stream ? ', of a stream' : ''}: the answer, and a record`, async () => {
        const id = uniqueName('nested')
        const headers = { 'x-request-id': id, 'x-millrace-metadata': metadata }
        const answer = await scene.chat(scene.body(scene.alias, { stream }), headers)
        assert.equal(answer.status, 200, answer.text)
        const record = await scene.gateway.record(id)
        assert.deepEqual([record.status, record.metadata], ['SUCCESS', null])
        assert.ok(scene.gateway.proxy.running)
      })
    }
  }
})

test('what is modest is kept beside all that', async () => {
  const id = uniqueName('modest')
  await scene.chat(scene.body(), { 'x-request-id': id, 'x-millrace-metadata': '{"a":[[{"b":null}]],"c":1.5}' })
  const { metadata } = await scene.gateway.record(id)
  assert.deepEqual(metadata, { a: [[{ b: null }]], c: 1.5 })
})
