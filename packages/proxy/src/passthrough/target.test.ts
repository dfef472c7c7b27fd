import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { keepsState, PassthroughRules } from './rules.ts'
import { parametersOf, readTarget, withModel } from './target.ts'

describe('readTarget', () => {
  for (const [url, endpoint, query] of [
    ['/v1/images/x', '/v1/images/x', ''],
    ['/v1/images/x?', '/v1/images/x', '?'],
    ['/v1/a?b=1&b=%2f..%2F&&c', '/v1/a', '?b=1&b=%2f..%2F&&c'],
    ['/v1/a?../../x//y', '/v1/a', '?../../x//y'],
    ['/v1/%66iles/a%2db', '/v1/files/a-b', ''],
    ['/v1/a%3ab', '/v1/a%3Ab', ''],
    ['/v1/a:b@c,d;e=1', '/v1/a:b@c,d;e=1', ''],
    ['/v1/...', '/v1/...', ''],
    ['/v1/.well-known', '/v1/.well-known', ''],
    ['/v1/caf%C3%A9', '/v1/caf%C3%A9', ''],
  ] as const) {
    it(`${url} is passed on`, () => assert.deepEqual(readTarget(url), { endpoint, query }))
  }
  for (const url of [
    '/v1',
    '/v1/',
    '/v1//',
    '/v1//admin',
    '/v1/a//b',
    '/v1/a/',
    '/v1/..',
    '/v1/../admin',
    '/v1/a/../../admin',
    '/v1/./a',
    '/v1/%2e%2e/admin',
    '/v1/%2E./admin',
    '/v1/.%2e/admin',
    '/v1/..%2fadmin',
    '/v1/..%5cadmin',
    '/v1/a%2fb',
    '/v1/a\\..\\b',
    '/v1/%252e%252e/admin',
    '/v1/..;/admin',
    '/v1/..;a=b/admin',
    '/v1/..%3b/admin',
    '/v1/.;/admin',
    '/v1/%c0%ae%c0%ae/admin',
    '/v1/..%c0%afadmin',
    '/v1/%ef%bc%8e%ef%bc%8e/admin',
    '/v1/%e2%80%a5/admin',
    '/v1/..%ef%bc%8fadmin',
    '/v1/a%ff',
    '/v1/a%c2%85',
    '/v1/a%00',
    '/v1/a%0d%0ab',
    '/v1/a%7f',
    '/v1/a%',
    '/v1/a%2',
    '/v1/a%zz',
    '/v1/a b',
    '/v1/a"b',
    '/v1/a<b',
    '/v1/a#b',
    '/v1/a?b#c',
    '/v1/caf\u00e9',
    '/v2/a',
    '/V1/a',
    'http://elsewhere/v1/a',
    '//elsewhere/v1/a',
    '*',
    '',
  ]) {
    it(`${JSON.stringify(url)} is not`, () => assert.equal(readTarget(url), null))
  }
})

describe('the query', () => {
  it('is read as forms are', () => {
    const read = (query: string) => Object.fromEntries(parametersOf(query, new Set(['model', 'n'])))
    assert.deepEqual(read(''), {})
    assert.deepEqual(read('?'), {})
    assert.deepEqual(read('?model=a%2Fb+c&%6d=1&n=&n=2&x=3'), { model: ['a/b c'], n: ['', '2'] })
    assert.deepEqual(read('?m%6fdel=a'), { model: ['a'] })
  })
  it('gets another model, and stays as it is', () => {
    assert.equal(withModel('?a=%20+&model=x&b', 'y/z 1'), '?a=%20+&model=y%2Fz%201&b')
    assert.equal(withModel('?m%6fdel=x&&models=x', 'y'), '?model=y&&models=x')
    assert.equal(withModel('??model=a&model=x', 'y'), '??model=a&model=y')
  })
})

describe('the rules', () => {
  it('list paths and methods', () => {
    const rules = new PassthroughRules({ endpoints: ['/v1/images/*', '/v1/moderations'], methods: ['GET'] })
    assert.equal(rules.lists('GET', '/v1/images/a/b'), true)
    assert.equal(rules.lists('GET', '/v1/moderations'), true)
    assert.equal(rules.lists('POST', '/v1/moderations'), false)
    assert.equal(rules.lists('GET', '/v1/moderations/x'), false)
    assert.equal(rules.lists('GET', '/v1/images'), false)
    assert.equal(new PassthroughRules({ endpoints: ['/v1/*'], methods: null }).lists('LOCK', '/v1/x'), true)
    assert.equal(new PassthroughRules({ endpoints: [], methods: null }).lists('GET', '/v1/images/x'), false)
  })
  it('know what keeps state', () => {
    for (const path of [
      '/v1/files',
      '/v1/Files/x',
      '/v1/files/x/content',
      '/v1/batches',
      '/v1/uploads/x',
      '/v1/vector_stores/x/files',
      '/v1/responses/resp_1',
      '/v1/responses/resp_1/input_items',
      '/v1/chat/completions/chatcmpl_1',
      '/v1/assistants',
      '/v1/threads/x/messages',
      '/v1/fine_tuning/jobs',
      '/v1/containers/x',
      '/v1/conversations/x',
      '/v1/evals',
      '/v1/videos/x/content',
      '/v1/audio/voices',
      '/v1/organization/costs',
      '/v1/files;a=b',
      '/v1/files;a/x',
      '/v1/files%3Bx',
      '/v1/files%3Fx',
      '/v1/files.json',
      '/v1/audio/voices;x',
    ])
      assert.equal(keepsState('GET', path), true, path)
    for (const path of [
      '/v1/images/x',
      '/v1/audio/speech',
      '/v1/moderations',
      '/v1/rerank',
      '/v1/filesystem',
      '/v1/images/files',
    ])
      assert.equal(keepsState('GET', path), false, path)
  })
})
