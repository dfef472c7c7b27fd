/** Which upstream key a request is sent with, in which order, and never which. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { fingerprint } from '@millrace/shared'

import { addCredential, createProject } from '../helpers/configuration.ts'
import { assertError } from '../helpers/error-shape.ts'
import { uniqueName, UPSTREAM_KEY } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredAttempt } from '../helpers/stored-record.ts'
import type { SeenRequest } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

/** A project with a token whose clients may bring a key, and one whose may not. */
let project: string
let mayBring: Record<string, string>
let mayNot: Record<string, string>
const scene = useScene({}, async ({ gateway }) => {
  project = await createProject(gateway.control)
  const bearer = async (ownKeys: boolean) => {
    const { secret } = await gateway.addToken({ project, access: { ownKeys } })
    return { authorization: `Bearer ${secret}` }
  }
  mayBring = await bearer(true)
  mayNot = await bearer(false)
})
const { byKey, rateLimited, raw, refuse, serverError, unauthorized } = behaviours
const good = behaviours.answer()
const exhausted = { status: 502, type: 'upstream_error', code: 'upstream_credentials_exhausted' }
const OWN = 'sk-of-the-client-0123456789'
const KEYS = ['sk-first-0123456789abcdef', 'sk-second-0123456789abcdef'] as const

const keyOf = ({ headers }: SeenRequest): string => String(headers['authorization']).replace('Bearer ', '')
const credentialOf = ({ credentialSource, credentialFingerprint }: StoredAttempt) => [
  credentialSource,
  credentialFingerprint,
]
const withOwn = () => ({ ...mayBring, 'x-millrace-upstream-key': OWN })

test("the client's own key goes before the project's, and that before the provider's", async () => {
  const routed = await scene.routed({ only: {} })
  const ofProject = 'sk-of-the-project-0123456789'
  await addCredential(scene.gateway.control, routed.provider('only'), ofProject, project)
  await scene.gateway.untilServed()
  const cases: [Record<string, string>, string, string][] = [
    [withOwn(), 'REQUEST', OWN],
    [mayBring, 'PROJECT', ofProject],
    [{}, 'PROVIDER', UPSTREAM_KEY],
  ]
  for (const [headers, source, key] of cases) {
    const id = uniqueName('source')
    const answer = await scene.chat(scene.body(routed.model), { 'x-request-id': id, ...headers })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(keyOf(routed.seen('only').at(-1)!), key)
    const { attempts } = await scene.gateway.record(id)
    assert.deepEqual(attempts.map(credentialOf), [[source, fingerprint(key)]])
  }
})

describe('a key that is refused', () => {
  for (const status of [401, 403, 429]) {
    test(`by a ${status}: the next one of its source is tried at once, and it counts as no attempt`, async () => {
      const behaviour = byKey({ [KEYS[0]]: refuse(status) }, good)
      const routed = await scene.routed(
        { only: { behaviour, provider: { apiKeys: KEYS } } },
        { retry: { maxAttempts: 1 } },
      )
      const id = uniqueName('rotation')
      const answer = await scene.chat(scene.body(routed.model), { 'x-request-id': id })
      assert.equal(answer.status, 200, answer.text)
      assert.deepEqual(routed.seen('only').map(keyOf), KEYS)
      const { attempts } = await scene.gateway.record(id)
      assert.deepEqual(
        attempts.map(({ upstreamStatus, credentialFingerprint }) => [upstreamStatus, credentialFingerprint]),
        [
          [status, fingerprint(KEYS[0])],
          [200, fingerprint(KEYS[1])],
        ],
      )
    })
  }

  test('with a retry-after rests so long, and no request is spent on it', async () => {
    const behaviour = byKey({ [KEYS[0]]: rateLimited('60') }, good)
    const routed = await scene.routed({ only: { behaviour, provider: { apiKeys: KEYS } } })
    for (let i = 0; i < 5; i++) assert.equal((await scene.chat(scene.body(routed.model))).status, 200)
    assert.deepEqual(routed.seen('only').map(keyOf), [KEYS[0], ...Array.from({ length: 5 }, () => KEYS[1])])
  })

  test('once all of them rest, the route does too', async () => {
    const first = { behaviour: rateLimited('60'), provider: { apiKeys: KEYS } }
    const routed = await scene.routed({ first, other: { priority: 1 } })
    assert.equal(routed.by(await scene.chat(scene.body(routed.model))), 'other')
    assert.equal(routed.calls('first'), 2)
    const answer = await scene.chat(scene.body(routed.model))
    assert.equal(routed.by(answer), 'other')
    assert.equal(routed.calls('first'), 2)
    const { decision } = await scene.gateway.record(String(answer.headers['x-request-id']))
    assert.deepEqual(routed.excluded(decision!), { first: 'COOLING_DOWN', other: null })
    assert.equal(decision!.fallbackUsed, false, 'the first that was tried has answered')
  })

  test('and there is no other route: 429 with the rest of the time, and nothing is sent', async () => {
    const routed = await scene.routed({ only: { behaviour: rateLimited('60') } })
    await scene.chat(scene.body(routed.model))
    const answer = await scene.chat(scene.body(routed.model))
    assertError(answer, { status: 429, type: 'upstream_error', code: 'all_routes_failed' })
    const seconds = Number(answer.headers['retry-after'])
    assert.ok(seconds > 0 && seconds <= 60, String(seconds))
    assert.equal(answer.headers['x-should-retry'], undefined, 'no attempt was made that a retry would repeat')
    assert.equal(answer.headers['x-millrace-attempts'], undefined)
    assert.equal(routed.calls('only'), 1)
  })
})

describe("another's key is never used", () => {
  test("not the provider's where the project's own are refused", async () => {
    const ofProject = 'sk-of-the-project-9876543210'
    const routed = await scene.routed({ only: { behaviour: byKey({ [ofProject]: unauthorized() }, good) } })
    await addCredential(scene.gateway.control, routed.provider('only'), ofProject, project)
    await scene.gateway.untilServed()
    assertError(await scene.chat(scene.body(routed.model), mayNot), exhausted)
    assert.deepEqual(routed.seen('only').map(keyOf), [ofProject])
  })

  test("not another project's: a route without one that may be used is none", async () => {
    const routed = await scene.routed({
      first: { provider: { kind: 'OPENAI', apiKeys: [] } },
      other: { priority: 1 },
    })
    await addCredential(scene.gateway.control, routed.provider('first'), 'sk-of-a-project-0123456789', project)
    await scene.gateway.untilServed()
    assert.equal(routed.by(await scene.chat(scene.body(routed.model), mayNot)), 'first')
    const answer = await scene.chat(scene.body(routed.model))
    assert.equal(routed.by(answer), 'other')
    assert.equal(routed.calls('first'), 1)
    const { decision } = await scene.gateway.record(String(answer.headers['x-request-id']))
    assert.deepEqual(routed.excluded(decision!), { first: 'NO_CREDENTIAL', other: null })
  })
})

describe("the client's own key", () => {
  const route = { a: { behaviour: serverError() }, b: { priority: 1 } }

  test("goes to the alias's first choice alone, and nothing stands in for it", async () => {
    const routed = await scene.routed(route)
    const answer = await scene.chat(scene.body(routed.model), withOwn())
    assertError(answer, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
    assert.equal(routed.calls('b'), 0)
    assert.ok(routed.calls('a') >= 1)
    for (const seen of routed.seen('a')) assert.equal(keyOf(seen), OWN)
  })

  test('goes to the provider that is named with it', async () => {
    const routed = await scene.routed(route)
    const answer = await scene.chat(scene.body(routed.model), {
      ...withOwn(),
      'x-millrace-provider': routed.nameOf('b'),
    })
    assert.equal(routed.by(answer), 'b')
    assert.equal(routed.calls('a'), 0)
    assert.deepEqual(routed.seen('b').map(keyOf), [OWN])
  })

  test('goes nowhere where the provider that is named is none of the alias', async () => {
    const routed = await scene.routed(route)
    const answer = await scene.chat(scene.body(routed.model), { ...withOwn(), 'x-millrace-provider': 'scene-provider' })
    assert.ok(answer.status >= 400, answer.text)
    assert.deepEqual([routed.calls('a'), routed.calls('b')], [0, 0])
  })

  test('is not used where the token does not allow it', async () => {
    const routed = await scene.routed({ only: {} })
    const answer = await scene.chat(scene.body(routed.model), { ...mayNot, 'x-millrace-upstream-key': OWN })
    for (const seen of routed.seen('only')) assert.notEqual(keyOf(seen), OWN)
    assert.ok(answer.status === 200 || answer.status === 403, answer.text)
  })

  test("refused or at its limit: the client is told, and the provider's own go on as before", async () => {
    const provider = { breaker: { consecutiveFailures: 1 } }
    for (const refusal of [unauthorized(), rateLimited('60'), serverError()]) {
      const routed = await scene.routed(
        { only: { behaviour: byKey({ [OWN]: refusal }, good), provider } },
        { retry: { maxAttempts: 1 } },
      )
      const id = uniqueName('own')
      const refused = await scene.chat(scene.body(routed.model), { 'x-request-id': id, ...withOwn() })
      assert.ok([429, 502].includes(refused.status), refused.text)
      assert.ok(!refused.text.includes(OWN))
      const record = await scene.gateway.record(id)
      assert.deepEqual(record.attempts.map(credentialOf), [['REQUEST', fingerprint(OWN)]])
      assert.ok(!JSON.stringify(record).includes(OWN))
      const answer = await scene.chat(scene.body(routed.model))
      assert.equal(answer.status, 200, answer.text)
      assert.deepEqual(routed.seen('only').map(keyOf), [OWN, UPSTREAM_KEY])
    }
  })
})

test('a refusal that repeats the key, in its body or in a header, is passed on without it', async () => {
  const body = (key: string) => JSON.stringify({ error: { message: `not with ${key}`, type: 'invalid_request_error' } })
  for (const [key, headers] of [
    [UPSTREAM_KEY, {}],
    [OWN, withOwn()],
  ] as const) {
    const repeated = {
      'x-debug': `Bearer ${key} (${key})`,
      'x-listed': [`1 ${key}`, `2 ${key}`],
      'x-plain': 'as it is',
    }
    const routed = await scene.routed({ only: { behaviour: raw(body(key), { status: 400, headers: repeated }) } })
    const answer = await scene.chat(scene.body(routed.model), headers)
    assert.equal(keyOf(routed.seen('only')[0]!), key)
    assert.equal(answer.status, 400)
    assert.equal(answer.text, body('[redacted]'))
    assert.equal(answer.headers['x-debug'], 'Bearer [redacted] ([redacted])')
    assert.equal(answer.headers['x-listed'], '1 [redacted], 2 [redacted]')
    assert.equal(answer.headers['x-plain'], 'as it is')
    const record = await scene.gateway.record(String(answer.headers['x-request-id']))
    assert.ok(!JSON.stringify(record).includes(key))
  }
})
