/** Which provider a request is passed on to, and with whose key. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { newId } from '@millrace/shared'

import { assertError } from '../helpers/error-shape.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { refuse } from '../helpers/upstream/failures.ts'
import { credential, KEYS, startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
const notFound = { status: 404, type: 'invalid_request_error', code: 'endpoint_not_found' }
const unsupported = { status: 400, type: 'invalid_request_error', code: 'unsupported_endpoint' }
const unnamed = { status: 400, type: 'invalid_request_error', code: 'header_required' }

before(async () => {
  passing = await startPassing()
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

/** Whose key an upstream request brought. */
const keyOf = (path: string): unknown => passing.asked(path).at(-1)!.headers['authorization']

describe('the provider', () => {
  test('is one that lists path and method', async () => {
    passing.provider('lister', ['/v1/listed/*'], {
      settings: { passthrough: { endpoints: ['/v1/listed/*'], methods: ['GET'] } },
    })
    passing.provider('switched-off', ['/v1/off/*'], { enabled: false })
    passing.provider('nothing', [])
    await passing.guarded.serve()
    passing.text('/v1/listed/a', 'listed')
    assert.equal((await passing.ask('/v1/listed/a')).text, 'listed')
    assertError(await passing.ask('/v1/listed'), notFound)
    assertError(await passing.ask('/v1/off/a'), notFound)
    assert.equal((await passing.ask('/v1/listed/a', { method: 'HEAD' })).status, 404)
    for (const method of ['POST', 'PUT', 'DELETE']) assertError(await passing.ask('/v1/listed/a', { method }), notFound)
    assert.equal(passing.asked('/v1/listed/a').length, 1)
    const refused = await passing.guarded.record(await passing.ask('/v1/off/a'))
    assert.deepEqual([refused.status, refused.errorClass, refused.attempts], ['REJECTED', 'endpoint_not_found', []])
  })

  test('is named by x-millrace-provider, or is the only one', async () => {
    const base = passing.guarded.upstream.baseUrl
    passing.provider('left', ['/v1/twice/*'], { baseUrl: `${base}/left` })
    passing.provider('right', ['/v1/twice/*'], { baseUrl: `${base}/right/` })
    await passing.guarded.serve()
    passing.text('/v1/left/twice/x', 'left')
    passing.text('/v1/right/twice/x', 'right')
    assertError(await passing.ask('/v1/twice/x'), unnamed)
    for (const name of ['left', 'right']) {
      const answer = await passing.ask('/v1/twice/x', { headers: { 'x-millrace-provider': name } })
      assert.equal(answer.text, name)
      assert.equal(answer.headers['x-millrace-provider'], name)
    }
    const elsewhere = assertError(
      await passing.ask('/v1/twice/x', { headers: { 'x-millrace-provider': 'own-provider' } }),
      unsupported,
    )
    const nowhere = assertError(
      await passing.ask('/v1/twice/x', { headers: { 'x-millrace-provider': 'nobody' } }),
      unsupported,
    )
    assert.equal(elsewhere.replace('own-provider', 'nobody'), nowhere, 'it does not tell who is there')
  })

  test("is that of the query's model", async () => {
    const base = passing.guarded.upstream.baseUrl
    const settings = { passthrough: { endpoints: ['/v1/modelled/*'] } }
    passing.guarded.addAlias('pictures', {
      'by-alias': { providerModel: 'their/model 1', provider: { baseUrl: `${base}/by-alias`, settings } },
    })
    passing.guarded.addAlias('elsewhere', {
      'lists-nothing': { provider: { settings: { passthrough: { endpoints: [] } } } },
    })
    passing.provider('by-name', ['/v1/modelled/*'], { baseUrl: `${base}/by-name`, direct: true })
    await passing.guarded.serve()
    passing.text('/v1/by-alias/modelled/x', 'alias')
    passing.text('/v1/by-name/modelled/x', 'name')

    const byAlias = await passing.ask('/v1/modelled/x?a=%2F&model=pictures&b', {
      headers: { 'x-millrace-provider': 'by-name' },
    })
    assert.equal(byAlias.text, 'alias')
    assert.equal(byAlias.headers['x-millrace-model'], 'their/model 1')
    assert.equal(
      passing.asked('/v1/by-alias/modelled/x').at(-1)!.url,
      '/v1/by-alias/modelled/x?a=%2F&model=their%2Fmodel%201&b',
    )
    const record = await passing.guarded.record(byAlias)
    assert.equal(record.model, 'pictures')
    assert.equal(record.providerModel, 'their/model 1')
    assert.ok(record.aliasId && record.decision)

    const byName = await passing.ask('/v1/modelled/x?model=by-name/m')
    assert.equal(byName.text, 'name')
    assert.equal(passing.asked('/v1/by-name/modelled/x').at(-1)!.url, '/v1/by-name/modelled/x?model=m')

    assertError(await passing.ask('/v1/modelled/x?model=elsewhere'), unsupported)
    assertError(await passing.ask('/v1/modelled/x?model=nobody'), {
      status: 404,
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
    })
    assertError(await passing.ask('/v1/modelled/x?model=pictures&%6dodel=elsewhere'), {
      status: 400,
      type: 'invalid_request_error',
      code: 'param_not_allowed',
      param: 'model',
    })
  })

  test('is another route of the alias, where one fails', async () => {
    const base = passing.guarded.upstream.baseUrl
    const settings = { passthrough: { endpoints: ['/v1/failing/*'] } }
    passing.guarded.addAlias('two-routes', {
      first: { priority: 0, provider: { baseUrl: `${base}/first`, settings } },
      second: { priority: 1, provider: { baseUrl: `${base}/second`, settings } },
    })
    await passing.guarded.serve()
    passing.page('/v1/first/failing/x', behaviours.reset())
    passing.text('/v1/second/failing/x', 'second')
    const answer = await passing.ask('/v1/failing/x?model=two-routes')
    assert.equal(answer.text, 'second')
    const { attempts } = await passing.guarded.record(answer)
    assert.deepEqual(
      attempts.map(({ providerName, errorClass }) => [providerName, errorClass]),
      [
        ['first', 'transport_error'],
        ['second', null],
      ],
    )
  })

  test('that cannot be reached is told of as with others', async () => {
    passing.provider('unreachable', ['/v1/unreachable/*'], { baseUrl: 'http://127.0.0.1:1/v1' })
    await passing.guarded.serve()
    const message = assertError(await passing.ask('/v1/unreachable/x'), {
      status: 502,
      type: 'upstream_error',
      code: 'all_routes_failed',
    })
    assert.doesNotMatch(message, /127\.0\.0\.1/)
  })
})

describe('the upstream key', () => {
  test("is the project's, else a shared one; another where one is refused", async () => {
    const { projectId } = passing.guarded
    passing.provider('keyed', ['/v1/keyed/*'], {
      credentials: [
        credential('SHARED_API_KEY'),
        credential('SECOND_API_KEY'),
        credential('PROJECT_API_KEY', projectId),
      ],
    })
    const stranger = passing.guarded.addTokenOfOwnProject()
    await passing.guarded.serve()
    passing.text('/v1/keyed/x', 'mine')
    assert.equal((await passing.ask('/v1/keyed/x')).status, 200)
    assert.equal(keyOf('/v1/keyed/x'), `Bearer ${KEYS.PROJECT_API_KEY}`)
    await passing.ask('/v1/keyed/x', { token: stranger.secret })
    assert.equal(keyOf('/v1/keyed/x'), `Bearer ${KEYS.SHARED_API_KEY}`)

    const refused = refuse(401, { message: `Incorrect key ${KEYS.SHARED_API_KEY}` })
    passing.page('/v1/keyed/y', behaviours.byKey({ [KEYS.SECOND_API_KEY]: raw('second') }, refused))
    const answer = await passing.ask('/v1/keyed/y', { token: stranger.secret })
    assert.equal(answer.text, 'second')
    passing.page('/v1/keyed/z', refused)
    const none = await passing.ask('/v1/keyed/z', { token: stranger.secret })
    assertError(none, { status: 502, type: 'upstream_error', code: 'upstream_credentials_exhausted' })
    assert.ok(!none.text.includes(KEYS.SHARED_API_KEY))
  })

  test('is taken out of errors that repeat it', async () => {
    passing.provider('echo', ['/v1/echo/*'], { credentials: [credential('SHARED_API_KEY')] })
    await passing.guarded.serve()
    passing.page('/v1/echo/x', refuse(422, { message: `you sent ${KEYS.SHARED_API_KEY}` }))
    const answer = await passing.ask('/v1/echo/x')
    assert.equal(answer.status, 422)
    assert.ok(answer.text.includes('you sent') && !answer.text.includes(KEYS.SHARED_API_KEY), answer.text)
  })

  test('has to be there', async () => {
    passing.provider('keyless', ['/v1/keyless/*'], { kind: 'OPENAI', baseUrl: passing.guarded.upstream.baseUrl })
    await passing.guarded.serve()
    assertError(await passing.ask('/v1/keyless/x'), unsupported)
  })
})

describe('what keeps state at the provider', () => {
  const PATHS = [
    '/v1/files',
    '/v1/files/f',
    '/v1/files;a',
    '/v1/files.json',
    '/v1/batches/b',
    '/v1/responses/r',
    '/v1/vector_stores/v',
    '/v1/%66iles',
  ]

  test("needs a key of the project's own", async () => {
    const { guarded } = passing
    passing.provider('keeper', ['/v1/files*', '/v1/batches/*', '/v1/responses/*', '/v1/vector_stores/*'], {
      credentials: [credential('SHARED_API_KEY')],
    })
    await guarded.serve()
    for (const path of PATHS) {
      passing.text(path, 'kept')
      assert.match(assertError(await passing.ask(path), unsupported), /key/)
      assert.match(
        assertError(await passing.ask(path, { headers: { 'x-millrace-provider': 'keeper' } }), unsupported),
        /key/,
      )
      assert.equal(passing.asked(path).length, 0, path)
    }

    const { projectId } = guarded
    passing.changeProvider('keeper', {
      credentials: [credential('SHARED_API_KEY'), credential('PROJECT_API_KEY', projectId)],
    })
    const stranger = guarded.addTokenOfOwnProject()
    const narrow = guarded.addToken({ models: ['*'] })
    await guarded.serve()
    for (const path of PATHS.slice(0, -1)) {
      assert.equal((await passing.ask(path)).text, 'kept', path)
      assert.equal(keyOf(path), `Bearer ${KEYS.PROJECT_API_KEY}`)
      assertError(await passing.ask(path, { token: stranger.secret }), unsupported)
      assertError(await passing.ask(path, { token: narrow.secret }), notFound)
      assert.equal(passing.asked(path).length, 1, path)
    }
    // One spelling of a path is as good as another: it goes as the plain one.
    assert.equal((await passing.ask('/v1/%66iles')).text, 'kept')
    assert.equal(passing.asked('/v1/files').length, 2)
  })

  test("or one of the client's own, for a provider that it names", async () => {
    passing.provider('lender', ['/v1/uploads/*'], { credentials: [credential('SHARED_API_KEY')] })
    const token = passing.guarded.addToken({ ownKeys: true })
    await passing.guarded.serve()
    passing.text('/v1/uploads/u', 'mine')
    const own = { 'x-millrace-upstream-key': 'sk-my-very-own' }
    assertError(await passing.ask('/v1/uploads/u', { token: token.secret, headers: own }), unnamed)
    assert.equal(passing.asked('/v1/uploads/u').length, 0)
    const headers = { ...own, 'x-millrace-provider': 'lender' }
    const answer = await passing.ask('/v1/uploads/u', { token: token.secret, headers })
    assert.equal(answer.text, 'mine')
    assert.equal(keyOf('/v1/uploads/u'), 'Bearer sk-my-very-own')
    const [attempt] = (await passing.guarded.record(answer)).attempts
    assert.equal(attempt!.credentialSource, 'REQUEST')
    // A token that may not bring one is taken for one that has not.
    assertError(await passing.ask('/v1/uploads/u', { headers }), unsupported)
  })
})

test('a SIMULATED provider is asked for nothing of the kind', async () => {
  passing.guarded.change(({ providers }) => ({
    providers: [
      ...providers,
      { ...providers[0]!, id: newId(), name: 'made-up', kind: 'SIMULATED', baseUrl: null, settings: {} },
    ],
  }))
  await passing.guarded.serve()
  passing.text('/v1/images/a', 'a')
  assertError(await passing.ask('/v1/images/a', { headers: { 'x-millrace-provider': 'made-up' } }), unsupported)
  assert.equal((await passing.ask('/v1/images/a')).status, 200, 'nor does it stand in the way of the only one')
})
