/** Providers that an operator has tried: control asks a proxy, which asks the provider as it would for a client. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { createProject } from '../helpers/configuration.ts'
import { startControl } from '../helpers/control.ts'
import { UPSTREAM_KEY, uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

const TEST =
  'mutation ($id: ID!, $model: String) { it: testProvider(id: $id, model: $model) { ok latencyMs httpStatus errorClass message } }'

const scene = useScene({ proxyEnv: { MILLRACE_WORKERS: '2' } })

async function tryProvider(id: string, model?: string): Promise<any> {
  return (await scene.gateway.control.gql(TEST, { id, ...(model === undefined ? {} : { model }) })).it
}
const untried = { ok: false, latencyMs: null, httpStatus: null, errorClass: null }

describe('a provider that is tried', () => {
  test('is asked once, by one process, for next to nothing, as it is set up', async () => {
    const { upstream } = scene
    const before = upstream.requests.length
    const { latencyMs, ...told } = await tryProvider(scene.provider)
    assert.deepEqual(told, { ok: true, httpStatus: 200, errorClass: null, message: null })
    assert.ok(latencyMs > 0)
    const asked = upstream.requests.slice(before)
    assert.equal(asked.length, 1)
    const { url, headers, json } = asked[0]!
    assert.deepEqual([url, headers['authorization']], ['/v1/chat/completions', `Bearer ${UPSTREAM_KEY}`])
    assert.deepEqual(json, {
      model: scene.providerModel,
      messages: [{ role: 'user', content: 'ping' }],
      max_tokens: 16,
    })
  })

  test('is asked for the model that is named', async () => {
    assert.equal((await tryProvider(scene.provider, 'another-model')).ok, true)
    assert.equal(scene.upstream.last.model, 'another-model')
    // As a route may name it.
    assert.equal((await tryProvider(scene.provider, 'modèle')).ok, true)
    assert.equal(scene.upstream.last.model, 'modèle')
    await assert.rejects(tryProvider(scene.provider, 'two\nlines'), { code: 'BAD_USER_INPUT', field: 'model' })
  })

  test('may have been made this moment, have no route, and want another parameter', async () => {
    const provider = await scene.gateway.addProvider(scene.upstream.baseUrl, { kind: 'OPENAI' })
    assert.equal((await tryProvider(provider, 'gpt')).ok, true)
    assert.equal(scene.upstream.last.json.max_completion_tokens, 16)
    await assert.rejects(tryProvider(provider), { code: 'BAD_USER_INPUT', field: 'model' })
  })

  test('is asked in its own words, whatever its kind', async () => {
    const { upstream, gateway } = scene
    const claude = await gateway.addProvider(upstream.baseUrl, { kind: 'ANTHROPIC', apiKeys: ['sk-ant-of-a-test'] })
    upstream.on(
      'claude',
      behaviours.raw(
        JSON.stringify({
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'claude',
          content: [{ type: 'text', text: 'pong' }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 8, output_tokens: 2 },
        }),
      ),
    )
    assert.deepEqual(await tryProvider(claude, 'claude').then(({ ok, message }) => [ok, message]), [true, null])
    const { url, headers, json } = upstream.last
    assert.deepEqual([url, headers['x-api-key'], json.max_tokens], ['/v1/messages', 'sk-ant-of-a-test', 16])

    const signed = 'AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
    const bedrock = await gateway.addProvider(upstream.baseUrl, { kind: 'BEDROCK', apiKeys: [signed] })
    upstream.next(behaviours.raw(JSON.stringify({ message: `the secret is ${signed.split(':')[1]}` }), { status: 403 }))
    const refused = await tryProvider(bedrock, 'amazon.nova-lite-v1:0')
    assert.deepEqual([refused.httpStatus, refused.errorClass], [403, 'upstream_auth'])
    assert.match(refused.message, /\[redacted\]/)
    assert.match(String(upstream.last.headers['authorization']), /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\//)
  })

  test('may be simulated', async () => {
    assert.equal((await tryProvider(await scene.gateway.addProvider(null, { kind: 'SIMULATED' }))).ok, true)
  })

  test('that refuses is told with its status and words, without its key, and nothing learns of it', async () => {
    const { upstream, gateway } = scene
    const provider = await gateway.addProvider(upstream.baseUrl, { breaker: { consecutiveFailures: 1 } })
    upstream.on('refused', behaviours.refuse(401, { message: `no such key: ${UPSTREAM_KEY}` }))
    for (const round of [1, 2]) {
      const { latencyMs, ...told } = await tryProvider(provider, 'refused')
      const message = 'HTTP 401: no such key: [redacted]'
      assert.deepEqual(told, { ok: false, httpStatus: 401, errorClass: 'upstream_auth', message }, String(round))
      assert.ok(latencyMs > 0)
    }
    upstream.on('down', behaviours.refuse(503))
    assert.equal((await tryProvider(provider, 'down')).errorClass, 'upstream_5xx')
    const { it } = await gateway.control.gql(
      'query ($id: ID!) { it: provider(id: $id) { health { state windowRequests } } }',
      { id: provider },
    )
    assert.deepEqual(it.health, { state: 'CLOSED', windowRequests: 0 })
  })

  test('that answers something else, too slowly, or not at all is told so', async () => {
    const { upstream, gateway } = scene
    upstream.on('html', behaviours.raw('<html>'))
    assert.equal((await tryProvider(scene.provider, 'html')).errorClass, 'upstream_invalid')
    upstream.on('stalling', behaviours.stall('before-headers'))
    const slow = await gateway.addProvider(upstream.baseUrl, { timeouts: { total: 100 } })
    const stalled = await tryProvider(slow, 'stalling')
    assert.deepEqual([stalled.ok, stalled.httpStatus, stalled.errorClass], [false, null, 'total_timeout'])
    const nowhere = await gateway.addProvider('http://127.0.0.1:9/v1')
    assert.equal((await tryProvider(nowhere, 'm')).errorClass, 'transport_error')
  })

  test('that is not asked is told why', async () => {
    const { gateway, upstream } = scene
    const off = await gateway.addProvider(upstream.baseUrl, { enabled: false })
    const { message, ...told } = await tryProvider(off, 'm')
    assert.deepEqual(told, untried)
    assert.match(message, /switched off/)
    const keyless = await gateway.addProvider(upstream.baseUrl, { kind: 'OPENAI', apiKeys: [] })
    assert.match((await tryProvider(keyless, 'm')).message, /no upstream key/)
  })

  test('is audited, by its name', async () => {
    await tryProvider(scene.provider)
    const { it } = await scene.gateway.control.gql(
      '{ it: auditEvents(filter: { action: "testProvider" }, first: 1) { edges { node { subject details } } } }',
    )
    assert.equal(it.edges[0].node.subject, 'provider scene-provider')
    assert.equal(it.edges[0].node.details.model, scene.providerModel)
  })

  // Records of the first would long have come.
  test('is in no record', async () => {
    const { gateway } = scene
    const answer = await gateway.chat(scene.alias)
    await answer.body?.cancel()
    await gateway.record(answer)
    assert.deepEqual([...(await gateway.storedCounts())], [[answer.headers.get('x-request-id'), 1]])
  })

  test('needs an EDITOR who is bound to no project', async () => {
    const { control } = scene.gateway
    const project = await createProject(control)
    for (const [role, projects] of [
      ['VIEWER', null],
      ['EDITOR', [project]],
    ] as const) {
      const made = await control.gql(
        'mutation ($name: String!, $role: Role!, $projects: [ID!]) { it: createAdminKey(name: $name, role: $role, projects: $projects) { secret } }',
        { name: uniqueName('key'), role, projects },
      )
      await assert.rejects(control.gql(TEST, { id: scene.provider }, made.it.secret), { code: 'FORBIDDEN' }, role)
    }
  })
})

test('without a proxy there is nobody to ask it', async () => {
  await using control = await startControl({})
  const { it: providers } = await control.gql('{ it: providers { id } }')
  const { it } = await control.gql(TEST, { id: providers[0].id })
  assert.deepEqual(it, { ...untried, message: 'no proxy is connected that could ask it' })
})
