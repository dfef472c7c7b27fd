/** `GET /v1/models` to who has the list already. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startGuarded, type Guarded } from './access/guarded.ts'

let guarded: Guarded
before(async () => {
  guarded = await startGuarded()
  await guarded.serve()
})
after(() => guarded[Symbol.asyncDispose]())

describe('the list of models', () => {
  for (const path of ['/v1/models', '/v1/models/own-alias']) {
    test(`${path} has a tag, and is not sent again to who names it`, async () => {
      const first = await guarded.get(path)
      const etag = String(first.headers['etag'])
      assert.match(etag, /^"[\w-]{27}"$/)
      assert.equal((await guarded.get(path)).headers['etag'], etag)
      for (const tags of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const same = await guarded.get(path, { 'if-none-match': tags })
        assert.deepEqual([same.status, same.text, same.headers['etag']], [304, '', etag])
        assert.equal(same.headers['content-length'], undefined)
        assert.ok(same.headers['x-request-id'])
      }
      const other = await guarded.get(path, { 'if-none-match': '"x"' })
      assert.deepEqual([other.status, other.text], [200, first.text])
      const record = await guarded.record(await guarded.get(path, { 'if-none-match': etag }))
      assert.deepEqual(
        [record.status, record.httpStatus, record.endpoint.startsWith('/v1/models')],
        ['SUCCESS', 304, true],
      )
    })
  }

  test('has another tag once there is another model', async () => {
    const { headers } = await guarded.get('/v1/models')
    const etag = String(headers['etag'])
    guarded.addAlias('one-more', {})
    await guarded.serve()
    const changed = await guarded.get('/v1/models', { 'if-none-match': etag })
    assert.equal(changed.status, 200)
    assert.match(changed.text, /one-more/)
    assert.notEqual(changed.headers['etag'], etag)
  })

  test('is not told to who may not ask', async () => {
    const answer = await guarded.get('/v1/models', { 'if-none-match': '*', authorization: 'Bearer sk-mr-nobody' })
    assert.equal(answer.status, 401)
  })
})
