/** What a token's access refuses, in which words, and on which paths. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { Access } from '@millrace/shared'

import { assertError, type ExpectedError } from '../helpers/error-shape.ts'
import type { Answer } from '../helpers/http.ts'
import { bearer, startGuarded, type Guarded } from './access/guarded.ts'

let guarded: Guarded
const tokens = new Map<string, { id: string; secret: string }>()

/** What each policy refuses. It is published before the first test. */
const ACCESS = {
  endpoints: { endpoints: ['/v1/embeddings*'] },
  chatOnly: { endpoints: ['/v1/chat/*'] },
  methods: { methods: ['PUT', 'PATCH'] },
  ipRanges: { ipRanges: ['192.0.2.0/24', '2001:db8::/32'] },
  origins: { origins: ['https://*.example.com'] },
  requiredHeaders: { requiredHeaders: ['x-team'] },
  models: { models: ['own-alias', 'other-*'] },
  params: { params: { service_tier: ['auto', 'flex*'], n: ['1'], store: ['false'], modalities: ['text'] } },
  everything: {
    endpoints: ['*'],
    methods: ['GET', 'POST'],
    ipRanges: ['127.0.0.0/8', '::1'],
    origins: ['https://app.example.com'],
    requiredHeaders: ['X-Team'],
    models: ['own-*'],
    params: { temperature: ['*'] },
  },
} satisfies Record<string, Partial<Access>>

before(async () => {
  guarded = await startGuarded()
  for (const [name, access] of Object.entries(ACCESS)) tokens.set(name, guarded.addToken(access))
  await guarded.serve()
})
after(() => guarded[Symbol.asyncDispose]())

type Headers = Readonly<Record<string, string>>
type Path = 'chat' | 'models' | 'a model' | 'an unknown path' | 'a wrong method'

const PATHS: Readonly<Record<Path, (headers: Headers) => Promise<Answer>>> = {
  chat: (headers) => guarded.chat({}, headers),
  models: (headers) => guarded.get('/v1/models', headers),
  'a model': (headers) => guarded.get('/v1/models/own-alias', headers),
  'an unknown path': (headers) => guarded.get('/v1/nothing', headers, 'POST'),
  'a wrong method': (headers) => guarded.get('/v1/chat/completions', headers, 'DELETE'),
}
const ALL = Object.keys(PATHS) as Path[]

const notFound: ExpectedError = { status: 404, type: 'invalid_request_error', code: 'endpoint_not_found' }
const notAllowed: ExpectedError = { status: 405, type: 'invalid_request_error', code: 'method_not_allowed' }
const noAddress: ExpectedError = { status: 403, type: 'permission_error', code: 'ip_not_allowed' }
const noOrigin: ExpectedError = { status: 403, type: 'permission_error', code: 'origin_not_allowed' }
const noHeader: ExpectedError = { status: 400, type: 'invalid_request_error', code: 'header_required' }
const noModel: ExpectedError = { status: 403, type: 'permission_error', code: 'model_not_allowed', param: 'model' }
const noParam = (param: string): ExpectedError => ({
  status: 400,
  type: 'invalid_request_error',
  code: 'param_not_allowed',
  param,
})

describe('before the body', () => {
  for (const [name, expected, headers] of [
    ['endpoints', notFound, {}],
    ['methods', notAllowed, {}],
    ['ipRanges', noAddress, {}],
    ['ipRanges', noAddress, { 'x-forwarded-for': '192.0.2.1' }],
    ['origins', noOrigin, {}],
    ['origins', noOrigin, { origin: 'https://evil.test' }],
    ['origins', noOrigin, { origin: 'https://example.com' }],
    ['requiredHeaders', noHeader, {}],
    ['requiredHeaders', noHeader, { 'x-team': '' }],
  ] as const) {
    for (const path of ALL) {
      test(`${name} refuse ${path} with ${JSON.stringify(headers)}: ${expected.status} ${expected.code}`, async () => {
        const asked = guarded.upstream.requests.length
        const answer = await PATHS[path]({ ...bearer(tokens.get(name)!), ...headers })
        const message = assertError(answer, expected)
        assert.equal(guarded.upstream.requests.length, asked, 'nothing goes upstream')
        if (expected === notAllowed) assert.equal(answer.headers['allow'], 'PUT, PATCH')
        if (expected === noHeader) assert.match(message, /"x-team"/)
      })
    }
  }

  test('a refusal comes before the body is read, and stands in a record of the token', async () => {
    const token = tokens.get('ipRanges')!
    const answer = await guarded.chatText('{"model":', bearer(token))
    assertError(answer, noAddress)
    const record = await guarded.record(answer)
    assert.deepEqual(
      [record.status, record.httpStatus, record.errorClass, record.tokenId, record.projectId],
      ['REJECTED', 403, 'ip_not_allowed', token.id, guarded.projectId],
    )
  })

  test('what is allowed passes', async () => {
    assert.equal((await guarded.chat({}, bearer(tokens.get('chatOnly')!))).status, 200)
    assertError(await guarded.get('/v1/models', bearer(tokens.get('chatOnly')!)), notFound)
    const all = { ...bearer(tokens.get('everything')!), origin: 'https://app.example.com', 'x-team': 'a' }
    assert.equal((await guarded.chat({ temperature: 0.5 }, all)).status, 200)
    assert.equal((await guarded.get('/v1/models', all)).status, 200)
  })

  test('a key that is none comes first', async () => {
    const expected = { status: 401, type: 'authentication_error', code: 'invalid_api_key' }
    for (const path of ALL) assertError(await PATHS[path]({ authorization: 'Bearer x' }), expected)
  })

  test('of several things the first in order is told', async () => {
    const token = guarded.addToken({ ipRanges: ['192.0.2.1'], requiredHeaders: ['x-team'], models: ['own-*'] })
    await guarded.serve()
    assertError(await guarded.chat({ model: 'x' }, bearer(token)), noAddress)
    assertError(await guarded.get('/v1/nothing', bearer(token)), noAddress)
  })
})

describe('models', () => {
  const own = (): Headers => bearer(tokens.get('models')!)

  test('that are not in the list are refused, whether or not there are any', async () => {
    for (const model of ['nobody-has-this', 'own-alias2', 'Own-alias', '__proto__', 'x'.repeat(100_000)])
      assertError(await guarded.chat({ model }, own()), noModel)
    assertError(await guarded.get('/v1/models/nobody-has-this', own()), noModel)
  })

  test('that are in it are as they are', async () => {
    assert.equal((await guarded.chat({}, own())).status, 200)
    const unknown = { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' }
    assertError(await guarded.chat({ model: 'other-x' }, own()), unknown)
    assertError(await guarded.get('/v1/models/other-x', own()), unknown)
    assert.equal((await guarded.get('/v1/models/own-alias', own())).status, 200)
  })

  test('are listed if the token may call them', async () => {
    guarded.addAlias('hidden-from-some', { 'provider-of-hidden': {} })
    guarded.addAlias('other-and-shown', { 'provider-of-shown': {} })
    await guarded.serve()
    const listed = async (headers: Headers): Promise<string[]> => {
      const { text } = await guarded.get('/v1/models', headers)
      return (JSON.parse(text) as { data: { id: string }[] }).data.map(({ id }) => id)
    }
    assert.deepEqual(await listed({}), ['hidden-from-some', 'other-and-shown', 'own-alias'])
    assert.deepEqual(await listed(own()), ['other-and-shown', 'own-alias'])
  })
})

describe('parameters', () => {
  const own = (): Headers => bearer(tokens.get('params')!)

  for (const [param, value] of [
    ['service_tier', 'priority'],
    ['service_tier', null],
    ['service_tier', ['auto', 'priority']],
    ['service_tier', { auto: true }],
    ['n', 2],
    ['n', '11'],
    ['store', true],
    ['modalities', ['text', 'audio']],
  ] as const) {
    test(`${param}: ${JSON.stringify(value)} is refused`, async () => {
      const asked = guarded.upstream.requests.length
      assertError(await guarded.chat({ [param]: value }, own()), noParam(param))
      assert.equal(guarded.upstream.requests.length, asked)
    })
  }

  for (const more of [
    {},
    { service_tier: 'flexible', n: 1, store: false, modalities: ['text'] },
    { n: '1' },
    { top_p: 7 },
  ]) {
    test(`${JSON.stringify(more)} passes`, async () => assert.equal((await guarded.chat(more, own())).status, 200))
  }

  test('that occur twice, or are spelt with escapes, are all looked at', async () => {
    const frame = (members: string): string =>
      `{"model":"own-alias",${members},"messages":[{"role":"user","content":"é"}]}`
    for (const members of [
      '"n":2,"n":1',
      '"n":1,"n":2',
      '"\\u006e":2',
      '"n" : 2e0',
      '"service_tier":"pr\\u0069ority"',
      '"service_tier":"é"',
    ]) {
      const answer = await guarded.chatText(frame(members), own())
      assertError(answer, noParam(members.includes('tier') ? 'service_tier' : 'n'))
    }
    assert.equal((await guarded.chatText(frame('"n":1.0,"n":1'), own())).status, 200)
    assert.equal((await guarded.chatText(frame('"messages2":{"n":2}'), own())).status, 200)
  })
})

test("a client's own upstream key goes only by a token that lets it", async () => {
  const may = guarded.addToken({ ownKeys: true, models: ['own-*'] })
  const mayNot = guarded.addToken({ ownKeys: false, models: ['own-*'] })
  await guarded.serve()
  const upstreamKey = async (token: { secret: string }): Promise<unknown> => {
    const answer = await guarded.chat({}, { ...bearer(token), 'x-millrace-upstream-key': 'sk-of-the-client' })
    assert.equal(answer.status, 200, answer.text)
    return guarded.upstream.last.headers['authorization']
  }
  assert.equal(await upstreamKey(may), 'Bearer sk-of-the-client')
  assert.equal(await upstreamKey(mayNot), undefined)
})
