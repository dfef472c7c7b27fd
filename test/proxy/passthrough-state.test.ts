/** Requests that leave something at the provider, or take it away: whose account they need, and what they end of the cache. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { refuse } from '../helpers/upstream/failures.ts'
import { CachedPages, FRESH, said } from './passthrough/cached-pages.ts'
import { credential, KEYS, startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
let narrow: string
let stranger: string
const notFound = { status: 404, type: 'invalid_request_error', code: 'endpoint_not_found' }
const unsupported = { status: 400, type: 'invalid_request_error', code: 'unsupported_endpoint' }
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=b' }

before(async () => {
  passing = await startPassing()
  const { guarded } = passing
  guarded.addAlias('thinker', {
    'thinking-provider': {
      providerModel: 'their-model',
      provider: {
        settings: { passthrough: { endpoints: ['/v1/responses/*', '/v1/files*', '/v1/batches*'] } },
        credentials: [credential('SHARED_API_KEY'), credential('PROJECT_API_KEY', guarded.projectId)],
      },
    },
  })
  passing.answering('their-model')
  passing.answering('thinker')
  narrow = guarded.addToken({ models: ['*'] }).secret
  stranger = guarded.addTokenOfOwnProject().secret
  await guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

const keyOf = (path: string): unknown => passing.asked(path).at(-1)!.headers['authorization']

describe('a path that keeps state', () => {
  for (const [method, path, body, headers] of [
    ['POST', '/v1/files', '--b--', MULTIPART],
    ['POST', '/v1/batches', '{"input_file_id":"f"}', {}],
    ['DELETE', '/v1/responses/resp_1', undefined, {}],
    ['POST', '/v1/responses/resp_1/cancel', undefined, {}],
    ['DELETE', '/v1/files/f', undefined, {}],
    ['PUT', '/v1/files/f', '{}', {}],
  ] as const) {
    test(`${method} ${path} needs an account of one's own, and a token for all models`, async () => {
      passing.page(path, raw('{"id":"x","usage":{"input_tokens":5,"output_tokens":6}}'))
      const ask = (token?: string, more: Record<string, string> = {}) => {
        const type = body === undefined ? {} : { 'content-type': 'application/json' }
        const options = { method, headers: { ...type, ...headers, ...more } }
        const sent = body === undefined ? options : { ...options, body }
        return passing.ask(path, token === undefined ? sent : { ...sent, token })
      }
      const { length } = passing.asked(path)
      assert.match(assertError(await ask(stranger), unsupported), /upstream key/)
      assertError(await ask(narrow), notFound)
      assert.equal(passing.asked(path).length, length)

      const answer = await ask()
      assert.equal(answer.status, 200, answer.text)
      assert.equal(keyOf(path), `Bearer ${KEYS.PROJECT_API_KEY}`)
      assert.equal(passing.asked(path).at(-1)!.method, method)
      // What was used is told of what lies there.
      assert.equal((await passing.guarded.record(answer)).usage.source, 'NONE')
    })
  }

  test("takes a key of the client's own", async () => {
    const { guarded } = passing
    const { secret } = guarded.addToken({ ownKeys: true }, { projectId: guarded.projectId })
    await guarded.serve()
    passing.page('/v1/files', raw('{}'))
    const headers = { ...MULTIPART, 'x-millrace-upstream-key': 'sk-mine', 'x-millrace-provider': 'thinking-provider' }
    const answer = await passing.ask('/v1/files', { method: 'POST', token: secret, headers, body: '--b--' })
    assert.equal(answer.status, 200)
    assert.equal(keyOf('/v1/files'), 'Bearer sk-mine')
  })
})

describe('what counts and compacts', () => {
  for (const path of ['/v1/responses/input_tokens', '/v1/responses/compact']) {
    test(`${path} keeps none`, async () => {
      passing.page(path, raw('{"object":"x","usage":{"input_tokens":5,"output_tokens":6}}'))
      for (const token of [narrow, stranger]) {
        const answer = await passing.post(path, { model: 'thinker', input: 'x' }, { token })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(passing.asked(path).at(-1)!.model, 'their-model')
        assert.equal((await passing.guarded.record(answer)).usage.outputTokens, 6)
      }
      assert.equal(keyOf(path), `Bearer ${KEYS.SHARED_API_KEY}`)
      // By GET it would be the name of what is kept.
      assertError(await passing.ask(path, { token: narrow }), notFound)
    })

    test(`${path} goes on from what is kept with an account of one's own only`, async () => {
      passing.page(path, raw('{}'))
      for (const more of [{ previous_response_id: 'resp_1' }, { conversation: 'conv_1' }]) {
        const body = { model: 'thinker', input: 'x', ...more }
        assert.match(assertError(await passing.post(path, body, { token: stranger }), unsupported), /keeps state/)
        assertError(await passing.post(path, body, { token: narrow }), notFound)
        assert.equal((await passing.post(path, body)).status, 200)
        assert.equal(keyOf(path), `Bearer ${KEYS.PROJECT_API_KEY}`)
      }
      const twice = '{"model":"thinker","previous_response_id":"resp_1","previous_response_id":null}'
      assert.match(assertError(await passing.post(path, twice, { token: stranger }), unsupported), /keeps state/)
      const none = { model: 'thinker', previous_response_id: null }
      assert.equal((await passing.post(path, none, { token: stranger })).status, 200)
    })
  }
})

describe('what is stored', () => {
  let pages: CachedPages
  before(() => (pages = new CachedPages(passing)))
  const change = (path: string, method = 'POST') =>
    passing.ask(path, { method, headers: { 'x-millrace-provider': 'own-provider' } })
  const ask = (path: string, headers: Record<string, string> = {}) =>
    pages.ask(path, { 'x-millrace-provider': 'own-provider', ...headers })

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'LOCK']) {
    test(`ends with a ${method} there`, async () => {
      const path = pages.counting({ 'cache-control': FRESH })
      await ask(path)
      await ask(`${path}?other`)
      assert.equal((await ask(path)).headers['x-cache'], 'HIT')
      const changed = await change(path, method)
      assert.deepEqual(said(changed), ['BYPASS', 'Millrace; fwd=method'])
      assert.equal((await ask(path)).headers['x-cache'], 'MISS')
      assert.equal((await ask(`${path}?other`)).headers['x-cache'], 'HIT', 'another page')
    })
  }

  test('ends in all its variants, for good', async () => {
    const path = pages.counting({ 'cache-control': FRESH, vary: 'accept-language' })
    for (const language of ['de', 'en']) await ask(path, { 'accept-language': language })
    assert.equal((await ask(path, { 'accept-language': 'de' })).headers['x-cache'], 'HIT')
    await change(path)
    assert.equal((await ask(path, { 'accept-language': 'en' })).headers['x-cache'], 'MISS')
    assert.equal((await ask(path, { 'accept-language': 'de' })).headers['x-cache'], 'MISS')
    assert.equal((await ask(path, { 'accept-language': 'en' })).headers['x-cache'], 'HIT')
  })

  test('stays where the change was refused, or nothing was changed', async () => {
    const path = pages.counting({ 'cache-control': FRESH })
    await ask(path)
    passing.page(path, refuse(422))
    await change(path)
    await change(path, 'OPTIONS')
    assert.equal((await ask(path)).headers['x-cache'], 'HIT')
  })

  test('is never the answer to a POST', async () => {
    const path = pages.counting({ 'cache-control': FRESH })
    for (let i = 1; i <= 3; i++) {
      await change(path)
      assert.equal(pages.calls(path), i)
    }
    assert.equal((await ask(path)).headers['x-cache'], 'MISS')
    const only = await passing.ask(path, { method: 'POST', headers: { 'cache-control': 'only-if-cached' } })
    assertError(only, { status: 504, type: 'invalid_request_error', code: 'not_cached' })
  })
})
