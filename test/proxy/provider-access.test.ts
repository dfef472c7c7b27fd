/** A provider's access holds for whatever would go to it: such a route is no candidate. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { refuse } from '../helpers/upstream/failures.ts'
import { bearer, startGuarded, type Guarded } from './access/guarded.ts'

let guarded: Guarded

before(async () => {
  guarded = await startGuarded()
  const guardedFirst = { access: { params: { n: ['1'] } } }
  guarded.addAlias('two', { careful: guardedFirst, careless: { priority: 1, providerModel: 'careless-model' } })
  guarded.addAlias('one', { alone: { access: { params: { n: ['1'] } } } })
  guarded.addAlias('named-*', { vendor: { access: { models: ['vendor/*'] }, providerModel: 'vendor/*' } })
  guarded.addAlias('renamed-*', { elsewhere: { access: { models: ['vendor/*'] }, providerModel: 'else/*' } })
  guarded.addAlias('header', { headed: { access: { requiredHeaders: ['x-team'] } } })
  guarded.addAlias('far', { remote: { access: { ipRanges: ['192.0.2.1'] } } })
  guarded.addAlias('page', { paged: { access: { origins: ['https://app.example.com'] } } })
  guarded.addAlias('endpoint', { embedding: { access: { endpoints: ['/v1/embeddings'] } } })
  guarded.addAlias('not-met', { both: { access: { params: { n: ['1'] } }, condition: { stream: true } } })
  guarded.addAlias('off', { 'switched-off': { access: { params: { n: ['1'] } }, provider: { enabled: false } } })
  guarded.addAlias('failing', {
    failed: { providerModel: 'failing' },
    closed: { priority: 1, access: { params: { n: ['1'] } } },
  })
  guarded.upstream.on('failing', refuse(500))
  await guarded.serve()
})
after(() => guarded[Symbol.asyncDispose]())

test('another route serves, and the decision says why', async () => {
  const first = await guarded.chat({ model: 'two', n: 1 })
  assert.deepEqual([first.status, first.headers['x-millrace-provider']], [200, 'careful'])
  const other = await guarded.chat({ model: 'two', n: 2 })
  assert.deepEqual([other.status, other.headers['x-millrace-provider']], [200, 'careless'])
  const { decision } = await guarded.record(other)
  assert.deepEqual(
    decision?.candidates.map(({ excluded }) => excluded ?? null),
    ['CONDITION_NOT_MET', null],
  )
})

test('none but refused ones: the client is told what its request may not do', async () => {
  const asked = guarded.upstream.requests.length
  const refused = await guarded.chat({ model: 'one', n: 2 })
  const expected = { status: 400, type: 'invalid_request_error', code: 'param_not_allowed', param: 'n' }
  assertError(refused, expected)
  const record = await guarded.record(refused)
  assert.deepEqual([record.status, record.errorClass, record.attempts.length], ['REJECTED', 'param_not_allowed', 0])
  const closed = (code: string, status = 403) => ({ status, type: 'permission_error', code })
  assertError(await guarded.chat({ model: 'far' }), closed('ip_not_allowed'))
  assertError(await guarded.chat({ model: 'page' }), closed('origin_not_allowed'))
  const required = { status: 400, type: 'invalid_request_error', code: 'header_required' }
  assertError(await guarded.chat({ model: 'header' }), required)
  const missing = { status: 404, type: 'invalid_request_error', code: 'endpoint_not_found' }
  assertError(await guarded.chat({ model: 'endpoint' }), missing)
  assert.equal(guarded.upstream.requests.length, asked)
  assert.equal((await guarded.chat({ model: 'header' }, { 'x-team': 'a' })).status, 200)
  assert.equal((await guarded.chat({ model: 'page' }, { origin: 'https://app.example.com' })).status, 200)
})

test('models are what the provider is asked for', async () => {
  assert.equal((await guarded.chat({ model: 'named-x' })).status, 200)
  const expected = { status: 403, type: 'permission_error', code: 'model_not_allowed', param: 'model' }
  assertError(await guarded.chat({ model: 'renamed-x' }), expected)
})

test('what another reason keeps away as well is told as that', async () => {
  const expected = { status: 503, type: 'upstream_error', code: 'no_route_available' }
  assertError(await guarded.chat({ model: 'not-met', n: 2 }), expected)
  assertError(await guarded.chat({ model: 'off', n: 2 }), expected)
})

test('a fallback is none either', async () => {
  const served = await guarded.chat({ model: 'failing', n: 1 })
  assert.deepEqual([served.status, served.headers['x-millrace-provider']], [200, 'closed'])
  const failed = await guarded.chat({ model: 'failing', n: 2 })
  assertError(failed, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
})

test("it says nothing of own keys, and holds beside the token's", async () => {
  const token = guarded.addToken({ ownKeys: true, params: { n: ['1', '2'] } })
  await guarded.serve()
  const headers = { ...bearer(token), 'x-millrace-upstream-key': 'sk-of-the-client' }
  const answer = await guarded.chat({ model: 'one', n: 1 }, headers)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(guarded.upstream.last.headers['authorization'], 'Bearer sk-of-the-client')
  const expected = { status: 400, type: 'invalid_request_error', code: 'param_not_allowed', param: 'n' }
  assertError(await guarded.chat({ model: 'one', n: 2 }, headers), expected)
  assertError(await guarded.chat({ model: 'two', n: 3 }, headers), expected)
})
