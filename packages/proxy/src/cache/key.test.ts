import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { DEFAULT_CACHE } from '@millrace/shared'
import * as fc from 'fast-check'

import type { CompiledCache } from './cacheable.ts'
import { cacheKey, type Keyed } from './key.ts'

const cache: CompiledCache = {
  policy: { ...DEFAULT_CACHE, enabled: true },
  cacheable: true,
  routesDigest: 'routes',
  members: new Set(),
  facts: [],
}
const shared: CompiledCache = { ...cache, policy: { ...cache.policy, shareAcrossProject: true } }
const request: Keyed = {
  endpoint: '/v1/chat/completions',
  projectId: 'project',
  projectName: 'Default',
  tokenId: 'token',
  tokenName: 'CI',
  aliasId: 'alias',
  headers: { host: 'localhost', authorization: 'Bearer x', 'user-agent': 'test' },
  body: '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
  unkeyed: new Set(['user', 'metadata', 'stream', 'stream_options']),
}
const key = (over: Partial<Keyed> = {}, by = cache): string => cacheKey(by, { ...request, ...over })
const withHeaders = (headers: Keyed['headers']): string => key({ headers: { ...request.headers, ...headers } })

describe('cacheKey', () => {
  it('is a digest, the same each time and in each process', () => {
    assert.equal(key(), key())
    assert.match(key(), /^[\w-]{43}$/)
  })

  for (const [what, over] of [
    ['the endpoint', { endpoint: '/v1/completions' }],
    ['the token', { tokenId: 'other' }],
    ['the alias', { aliasId: 'other' }],
    ['the model', { body: request.body.replace('"m"', '"n"') }],
    ['a text', { body: request.body.replace('hi', 'hi ') }],
    ['an unknown member', { body: request.body.replace('{', '{"x":1,') }],
  ] as const) {
    it(`is another for another of ${what}`, () => {
      assert.notEqual(key(over), key())
    })
  }

  it('is another when the routes are', () => assert.notEqual(key({}, { ...cache, routesDigest: 'other' }), key()))

  it('does not depend on how the body is laid out, on what does not change an answer, nor on names', () => {
    for (const body of [
      '{"messages":[{"content":"hi","role":"user"}],"model":"m"}',
      ' { "model" : "m" ,\n"messages" : [ { "role" : "user" , "content" : "hi" } ] } ',
      request.body.replace(
        '{',
        '{"stream":true,"stream_options":{"include_usage":true},"user":"u","metadata":{"a":1},',
      ),
    ]) {
      assert.equal(key({ body }), key(), body)
    }
    assert.equal(key({ tokenName: 'other', projectName: 'other' }), key())
  })

  it('never is the same for two tokens, nor for two projects where they share', () => {
    assert.notEqual(key({ tokenId: 'a' }), key({ tokenId: 'b' }))
    assert.equal(key({ tokenId: 'a' }, shared), key({ tokenId: 'b' }, shared))
    assert.notEqual(key({ projectId: 'a' }, shared), key({ projectId: 'b' }, shared))
    const id = 'same'
    assert.notEqual(key({ projectId: id, tokenId: id }, shared), key({ projectId: id, tokenId: id }))
  })

  it('depends on the headers by which providers answer otherwise, and on no others', () => {
    const keys = [
      key(),
      withHeaders({ 'anthropic-version': '2023-06-01' }),
      withHeaders({ 'anthropic-version': '2024-01-01' }),
      withHeaders({ 'anthropic-beta': '2023-06-01' }),
      withHeaders({ 'anthropic-beta': 'a', 'anthropic-version': 'b' }),
      withHeaders({ 'anthropic-beta': 'b', 'anthropic-version': 'a' }),
      withHeaders({ 'openai-beta': 'assistants=v2' }),
    ]
    assert.equal(new Set(keys).size, keys.length)
    assert.equal(withHeaders({ 'anthropic-version': 'b', 'anthropic-beta': 'a' }), keys[4], 'in any order')
    assert.equal(withHeaders({ 'openai-organization': 'o', 'x-request-id': 'r', 'accept-language': 'de' }), keys[0])
  })

  it('knows what conditions read: the form, names, the length', () => {
    const form: CompiledCache = { ...cache, members: new Set(['stream', 'temperature']) }
    const streamed = { body: request.body.replace('{', '{"stream":true,"user":"u",') }
    assert.equal(key(streamed), key())
    assert.notEqual(key(streamed, form), key({}, form))
    const names: CompiledCache = { ...cache, facts: ['token_name', 'project_name'] }
    assert.notEqual(key({ tokenName: 'b' }, names), key({}, names))
    assert.notEqual(key({ projectName: 'b' }, names), key({}, names))
    assert.notEqual(
      key({ tokenName: 'a', projectName: 'bc' }, names),
      key({ tokenName: 'ab', projectName: 'c' }, names),
    )
    const length: CompiledCache = { ...cache, facts: ['estimated_input_tokens'] }
    assert.notEqual(key({ body: ` ${request.body}    ` }, length), key({}, length))
  })

  it('is another for any other parts, wherever one ends and the next begins', () => {
    const text = fc.oneof(
      fc.constantFrom('', 'a', 'ab', 'b', '1', '1:a', ':', '0;', 'é', '日'),
      fc.string({ maxLength: 3 }),
    )
    const parts = fc.record({
      endpoint: text,
      tokenId: text,
      tokenName: text,
      aliasId: text,
      headers: fc.dictionary(fc.constantFrom('anthropic-a', 'anthropic-b', 'openai-beta'), text, { maxKeys: 2 }),
      body: fc.constantFrom('{}', '{"a":1}', '{"0":1}'),
    })
    const by: CompiledCache = { ...cache, facts: ['token_name'] }
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const written = [one, other].map(({ headers, ...rest }) =>
          JSON.stringify([Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)), rest]),
        )
        assert.equal(key(one, by) === key(other, by), written[0] === written[1])
      }),
    )
  })
})
