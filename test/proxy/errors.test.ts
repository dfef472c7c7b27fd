/** The rows of the contract's error table that the gateway reaches by itself. What providers fail has a file of its own. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'

import { assertError, type ExpectedError } from '../helpers/error-shape.ts'
import { begin, send } from '../helpers/http.ts'
import { startProxy } from '../helpers/proxy.ts'
import { useScene } from '../helpers/scene.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'

const LIMIT = 65_536
const scene = useScene({ proxyEnv: { MILLRACE_MAX_BODY_BYTES: String(LIMIT) } })

const invalidJson: ExpectedError = { status: 400, type: 'invalid_request_error', code: 'invalid_json' }
const modelRequired: ExpectedError = {
  status: 400,
  type: 'invalid_request_error',
  code: 'model_required',
  param: 'model',
}
const messagesRequired: ExpectedError = {
  status: 400,
  type: 'invalid_request_error',
  code: 'messages_required',
  param: 'messages',
}
const tooLarge: ExpectedError = { status: 413, type: 'invalid_request_error', code: 'request_too_large' }
const invalidKey: ExpectedError = { status: 401, type: 'authentication_error', code: 'invalid_api_key' }

describe('the body', () => {
  const cases: [string, string, ExpectedError][] = [
    ['empty', '', invalidJson],
    ['no JSON', 'model=x', invalidJson],
    ['half of some', '{"model":"scene-alias","messages":[{', invalidJson],
    ['JSON and more', '{"model":"scene-alias"} {}', invalidJson],
    ['a list', '[]', invalidJson],
    ['null', 'null', invalidJson],
    ['a string', '"model"', invalidJson],
    ['no model', '{"messages":[{"role":"user","content":"x"}]}', modelRequired],
    ['an empty model', '{"model":"","messages":[{"role":"user","content":"x"}]}', modelRequired],
    ['a model that is null', '{"model":null,"messages":[{"role":"user","content":"x"}]}', modelRequired],
    ['a model that is a number', '{"model":4,"messages":[{"role":"user","content":"x"}]}', modelRequired],
    ['no messages', '{"model":"scene-alias"}', messagesRequired],
    ['empty messages', '{"model":"scene-alias","messages":[]}', messagesRequired],
    ['messages that are text', '{"model":"scene-alias","messages":"hello"}', messagesRequired],
    ['a body over the limit', `{"model":"scene-alias","messages":["${'x'.repeat(LIMIT)}"]}`, tooLarge],
  ]
  for (const [name, body, expected] of cases) {
    test(`${name}: ${expected.status} ${expected.code}`, async () => {
      const before = scene.upstream.requests.length
      assertError(await scene.chat(body), expected)
      assert.equal(scene.upstream.requests.length, before, 'nothing goes upstream')
    })
  }

  test('UTF-8 that is none', async () => {
    const body = Buffer.concat([
      Buffer.from('{"model":"scene-alias","messages":["'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"]}'),
    ])
    assertError(
      await send(scene.chatUrl, { headers: { authorization: `Bearer ${scene.gateway.token}` }, body }),
      invalidJson,
    )
  })

  test('a body of unknown length is refused as soon as it is over the limit, not at its end', async () => {
    const { request, answer } = begin(scene.chatUrl, { headers: { authorization: `Bearer ${scene.gateway.token}` } })
    request.write('{"model":"')
    request.write('x'.repeat(LIMIT + 1))
    const refused = await answer
    const { body } = await refused.rest()
    assertError({ status: refused.status, headers: refused.headers, text: body.toString() }, tooLarge)
    request.destroy()
  })

  test('a body just within the limit passes', async () => {
    const frame = JSON.stringify(scene.body(scene.alias, { pad: '' }))
    const body = frame.replace('"pad":""', `"pad":"${'x'.repeat(LIMIT - frame.length)}"`)
    assert.equal(body.length, LIMIT)
    assert.equal((await scene.chat(body)).status, 200)
  })
})

describe('the key', () => {
  const ask = (headers: Record<string, string>) => send(scene.chatUrl, { headers, body: JSON.stringify(scene.body()) })

  test('none', async () => {
    assertError(await ask({}), invalidKey)
  })
  test('unknown', async () => {
    assertError(await ask({ authorization: `Bearer sk-mr-${'a'.repeat(12)}-${'b'.repeat(43)}` }), invalidKey)
  })
  test('no bearer', async () => {
    assertError(await ask({ authorization: scene.gateway.token }), invalidKey)
  })
  test('an admin key is no token', async () => {
    assertError(await ask({ authorization: `Bearer ${scene.gateway.control.adminKey}` }), invalidKey)
  })
  test('a message never repeats the key', async () => {
    const secret = `sk-mr-${'Q'.repeat(12)}-${'Z'.repeat(43)}`
    const message = assertError(await ask({ authorization: `Bearer ${secret}` }), invalidKey)
    assert.ok(!message.includes('ZZZZ'))
  })
  test('the key comes before the body: a stranger is told nothing of it', async () => {
    assertError(await send(scene.chatUrl, { body: '{"model":"scene-alias"' }), invalidKey)
  })
  for (const name of ['x-api-key', 'api-key']) {
    test(`${name} serves too`, async () => assert.equal((await ask({ [name]: scene.gateway.token })).status, 200))
  }

  test('revoked', async () => {
    const { id, secret } = await scene.gateway.addToken()
    await scene.gateway.untilServed()
    assert.equal((await ask({ authorization: `Bearer ${secret}` })).status, 200)
    await scene.gateway.control.gql('mutation ($id: ID!) { revokeToken(id: $id) { status } }', { id })
    const refused = await waitFor(async () => {
      const answer = await ask({ authorization: `Bearer ${secret}` })
      return answer.status !== 200 && answer
    })
    assertError(refused, { status: 401, type: 'authentication_error', code: 'token_revoked' })
  })

  test('expired', async () => {
    const { secret } = await scene.gateway.addToken({ expiresAt: new Date(Date.now() + 3_000).toISOString() })
    await scene.gateway.untilServed()
    const refused = await waitFor(async () => {
      const answer = await ask({ authorization: `Bearer ${secret}` })
      return answer.status !== 200 && answer
    })
    assertError(refused, { status: 401, type: 'authentication_error', code: 'token_expired' })
  })

  test("a project that isn't active, until it is again", async () => {
    const { control } = scene.gateway
    const { createProject } = await control.gql('mutation { createProject(input: {name: "asleep"}) { id } }')
    const { secret } = await scene.gateway.addToken({ project: createProject.id })
    const activate = (active: boolean) =>
      control.gql(
        'mutation ($id: ID!, $active: Boolean!) { updateProject(id: $id, input: {active: $active}) { active } }',
        {
          id: createProject.id,
          active,
        },
      )
    await activate(false)
    await scene.gateway.untilServed()
    assertError(await ask({ authorization: `Bearer ${secret}` }), {
      status: 403,
      type: 'permission_error',
      code: 'project_inactive',
    })
    await activate(true)
    await scene.gateway.untilServed()
    assert.equal((await ask({ authorization: `Bearer ${secret}` })).status, 200)
  })
})

describe('no route', () => {
  const noRoute: ExpectedError = { status: 503, type: 'upstream_error', code: 'no_route_available' }

  test('the alias has none that is enabled', async () => {
    await scene.gateway.addAlias('all-off', [{ provider: scene.provider, enabled: false }])
    await scene.gateway.untilServed()
    assertError(await scene.chat(scene.body('all-off')), noRoute)
  })

  test('the provider is disabled', async () => {
    const provider = await scene.gateway.addProvider(scene.upstream.baseUrl, { enabled: false })
    await scene.gateway.addAlias('provider-off', provider)
    await scene.gateway.untilServed()
    assertError(await scene.chat(scene.body('provider-off')), noRoute)
  })

  test('no configuration yet', async () => {
    await using folder = await temporaryFolder()
    await using proxy = await startProxy({
      controlUrl: 'http://127.0.0.1:1',
      proxyKey: scene.gateway.control.proxyKey,
      dataDir: folder.path,
      env: { MILLRACE_MASTER_KEY: randomBytes(32).toString('base64') },
    })
    const answer = await send(`${proxy.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${scene.gateway.token}` },
      body: JSON.stringify(scene.body()),
    })
    assertError(answer, { status: 503, type: 'upstream_error', code: 'not_ready' })
    assert.equal((await send(`${proxy.url}/healthz`, { method: 'GET' })).status, 200)
    assert.equal((await send(`${proxy.url}/readyz`, { method: 'GET' })).status, 503)
  })
})
