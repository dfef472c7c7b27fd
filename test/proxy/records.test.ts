/** Each request ends in exactly one record that says what became of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { fingerprint } from '@millrace/shared'

import { uniqueName, UPSTREAM_KEY } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredRecord } from '../helpers/stored-record.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

const scene = useScene()

type Outcome = readonly [StoredRecord['status'], number, string | null, StoredRecord['usage']['source']]
const outcome = ({ status, httpStatus, errorClass, usage }: StoredRecord): Outcome => [
  status,
  httpStatus,
  errorClass,
  usage.source,
]

describe('a request that succeeds', () => {
  for (const stream of [false, true]) {
    test(stream ? 'streamed' : 'unstreamed', async () => {
      const id = uniqueName('good')
      const answer = await scene.chat(scene.body(scene.alias, { stream, user: 'ann', prompt_cache_key: 'talk-1' }), {
        'x-request-id': id,
        'x-millrace-metadata': '{"team":"a","n":1.5}',
      })
      const record = await scene.gateway.record(id)
      assert.equal(record.id, answer.headers['x-millrace-id'])
      assert.equal(record.requestId, id)
      assert.deepEqual(outcome(record), ['SUCCESS', 200, null, 'PROVIDER'])
      assert.equal(record.errorMessage, null)
      assert.deepEqual(record.usage, {
        inputTokens: 19,
        outputTokens: 7,
        cachedInputTokens: 4,
        cacheWriteTokens: 0,
        reasoningTokens: 2,
        inputAudioTokens: 0,
        outputAudioTokens: 0,
        source: 'PROVIDER',
        billed: true,
      })
      assert.equal(record.endpoint, '/v1/chat/completions')
      assert.deepEqual([record.model, record.providerModel, record.stream], [scene.alias, scene.providerModel, stream])
      assert.equal(record.project?.name, 'default')
      assert.ok(record.token)
      assert.equal(record.alias?.name, scene.alias)
      assert.equal(record.provider?.name, 'scene-provider')
      assert.deepEqual(
        [record.userKey, record.conversationKey, record.metadata],
        ['ann', 'talk-1', { team: 'a', n: 1.5 }],
      )
      assert.equal(record.configRevision, Number(answer.headers['x-millrace-revision']))
      assert.ok(Date.parse(record.finishedAt) >= Date.parse(record.startedAt))
      assert.ok(
        record.latencyMs > 0 && record.overheadMs >= 0 && record.overheadMs <= record.latencyMs,
        JSON.stringify(record),
      )
      assert.equal(record.timeToFirstTokenMs !== null, stream, "a time to first token is a stream's")

      assert.equal(record.attempts.length, 1)
      const attempt = record.attempts[0]!
      assert.deepEqual(
        [attempt.index, attempt.providerName, attempt.providerModel],
        [0, 'scene-provider', scene.providerModel],
      )
      assert.deepEqual(
        [attempt.upstreamStatus, attempt.errorClass, attempt.errorMessage, attempt.hedged],
        [200, null, null, false],
      )
      assert.equal(attempt.upstreamUrl, `${scene.upstream.baseUrl}/chat/completions`)
      assert.match(String(attempt.contentType), stream ? /event-stream/ : /json/)
      assert.deepEqual(
        [attempt.credentialSource, attempt.credentialFingerprint],
        ['PROVIDER', fingerprint(UPSTREAM_KEY)],
      )
    })
  }

  test("headers name user and conversation before the body's own", async () => {
    const id = uniqueName('keys')
    await scene.chat(scene.body(scene.alias, { user: 'of-the-body', prompt_cache_key: 'of-the-body' }), {
      'x-request-id': id,
      'x-millrace-user': 'of-the-header',
      'x-millrace-conversation': 'of-the-header',
    })
    const record = await scene.gateway.record(id)
    assert.deepEqual([record.userKey, record.conversationKey], ['of-the-header', 'of-the-header'])
  })

  test('without usage from the provider, it is estimated', async () => {
    scene.upstream.next(
      behaviours.events([JSON.stringify({ model: 'm', choices: [{ index: 0, delta: { content: 'Some words.' } }] })]),
    )
    const id = uniqueName('estimated')
    await scene.chat(scene.body(scene.alias, { stream: true }), { 'x-request-id': id })
    const record = await scene.gateway.record(id)
    assert.deepEqual(outcome(record), ['SUCCESS', 200, null, 'ESTIMATED'])
    assert.ok(record.usage.inputTokens > 0 && record.usage.outputTokens > 0)
  })
})

test('the route of the lowest priority number is asked, and within it none of weight 0 beside others', async () => {
  const alias = uniqueName('routes')
  await scene.gateway.addAlias(alias, [
    { provider: scene.provider, providerModel: 'a-fallback', priority: 1, weight: 100 },
    { provider: scene.provider, providerModel: 'of-no-weight', priority: 0, weight: 0 },
    { provider: scene.provider, providerModel: 'the-first', priority: 0, weight: 1 },
    { provider: scene.provider, providerModel: 'switched-off', priority: 0, weight: 1_000, enabled: false },
  ])
  await scene.gateway.untilServed()
  for (let i = 0; i < 20; i++) {
    const { headers } = await scene.chat(scene.body(alias))
    assert.equal(headers['x-millrace-model'], 'the-first')
  }
})

describe('a request that is refused', () => {
  const cases: [string, (id: string) => Promise<unknown>, Outcome, { model: string; token: boolean }][] = [
    [
      'no key',
      (id) => scene.chat(scene.body(), { authorization: '', 'x-request-id': id }),
      ['REJECTED', 401, 'invalid_api_key', 'NONE'],
      { model: '', token: false },
    ],
    [
      'no JSON',
      (id) => scene.chat('{', { 'x-request-id': id }),
      ['REJECTED', 400, 'invalid_json', 'NONE'],
      { model: '', token: true },
    ],
    [
      'an unknown model',
      (id) => scene.chat(scene.body('nobody-has-this'), { 'x-request-id': id }),
      ['REJECTED', 404, 'model_not_found', 'NONE'],
      { model: 'nobody-has-this', token: true },
    ],
  ]
  for (const [name, ask, expected, { model, token }] of cases) {
    test(name, async () => {
      const id = uniqueName('refused')
      await ask(id)
      const record = await scene.gateway.record(id)
      assert.deepEqual(outcome(record), expected)
      assert.deepEqual(
        [record.model, record.token !== null, record.provider, record.attempts.length],
        [model, token, null, 0],
      )
      assert.ok(record.errorMessage)
    })
  }
})

describe('a request that the provider fails', () => {
  // name, behaviour, of a stream, outcome, the last attempt's class
  const cases: [string, Behaviour, boolean, Outcome, string, number | null][] = [
    [
      'its refusal of the request',
      behaviours.badRequest(),
      false,
      ['ERROR', 400, 'upstream_4xx', 'NONE'],
      'upstream_4xx',
      400,
    ],
    [
      'its refusal of the key',
      behaviours.unauthorized(),
      false,
      ['ERROR', 502, 'upstream_credentials_exhausted', 'NONE'],
      'upstream_auth',
      401,
    ],
    [
      'a rate limit',
      behaviours.rateLimited(),
      false,
      ['ERROR', 429, 'all_routes_failed', 'NONE'],
      'upstream_rate_limited',
      429,
    ],
    ['a 500', behaviours.serverError(), true, ['ERROR', 502, 'all_routes_failed', 'NONE'], 'upstream_5xx', 500],
    ['a reset', behaviours.reset(), true, ['ERROR', 502, 'all_routes_failed', 'NONE'], 'transport_error', null],
    [
      'a 200 with an error',
      behaviours.okWithError(),
      false,
      ['ERROR', 502, 'all_routes_failed', 'NONE'],
      'upstream_invalid',
      200,
    ],
    [
      'truncated JSON',
      behaviours.truncatedJson(),
      false,
      ['ERROR', 502, 'all_routes_failed', 'NONE'],
      'upstream_invalid',
      200,
    ],
    [
      'an error event first',
      behaviours.errorEventFirst(),
      true,
      ['ERROR', 502, 'all_routes_failed', 'NONE'],
      'stream_error',
      200,
    ],
    [
      'an error event later',
      behaviours.errorEventLater(),
      true,
      ['ERROR', 200, 'stream_error', 'ESTIMATED'],
      'stream_error',
      200,
    ],
    [
      'a cut in mid-event',
      behaviours.cutOff('mid-event'),
      true,
      ['ERROR', 200, 'stream_truncated', 'ESTIMATED'],
      'transport_error',
      200,
    ],
    [
      'an end in mid-event',
      behaviours.endEarly('mid-event'),
      true,
      ['ERROR', 200, 'stream_truncated', 'ESTIMATED'],
      'stream_truncated',
      200,
    ],
    [
      'no [DONE]',
      behaviours.missingDone(),
      true,
      ['ERROR', 200, 'stream_truncated', 'PROVIDER'],
      'stream_truncated',
      200,
    ],
  ]
  for (const [name, behaviour, stream, expected, attemptClass, upstreamStatus] of cases) {
    test(name, async () => {
      const model = await scene.behaving(uniqueName('failing'), behaviour)
      const id = uniqueName('failed')
      const answer = await scene.chat(scene.body(model, { stream }), { 'x-request-id': id })
      assert.equal(answer.status, expected[1], answer.text)
      const record = await scene.gateway.record(id)
      assert.deepEqual(outcome(record), expected)
      assert.ok(record.errorMessage)
      const asked = scene.upstream.requests.filter((request) => request.model === model).length
      assert.equal(record.attempts.length, asked, 'an attempt for each time that the provider was asked')
      assert.deepEqual(
        record.attempts.map(({ index }) => index),
        Array.from({ length: asked }, (_, i) => i),
      )
      const last = record.attempts.at(-1)!
      assert.deepEqual([last.errorClass, last.upstreamStatus], [attemptClass, upstreamStatus])
      assert.doesNotMatch(JSON.stringify(record), new RegExp(UPSTREAM_KEY), 'no secret in a record')
    })
  }

  test("a key that the provider's message repeats does not reach the record or the client", async () => {
    const model = await scene.behaving(
      uniqueName('leaky'),
      behaviours.refuse(401, { message: `Incorrect API key provided: ${UPSTREAM_KEY}` }),
    )
    const id = uniqueName('leak')
    const answer = await scene.chat(scene.body(model), { 'x-request-id': id })
    assert.ok(!answer.text.includes(UPSTREAM_KEY), answer.text)
    assert.ok(!JSON.stringify(await scene.gateway.record(id)).includes(UPSTREAM_KEY))
  })
})

test('exactly one record a request, of many at once', async () => {
  const ids = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const id = uniqueName(`many-${i}`)
      await scene.chat(i % 3 === 0 ? '{' : scene.body(scene.alias, { stream: i % 3 === 1 }), { 'x-request-id': id })
      return id
    }),
  )
  await scene.gateway.assertOneRecordEach(ids)
})
