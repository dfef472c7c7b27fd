/** Which headers cross the gateway, either way, and which it says itself. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { UPSTREAM_KEY } from '../helpers/gateway.ts'
import { send } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

const scene = useScene()
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

describe('to the provider', () => {
  test("nothing of the client's credentials, cookies, hop, and of Millrace's own", async () => {
    const kept = {
      'x-custom': 'passes',
      'openai-beta': 'assistants=v2',
      'user-agent': 'someone/1.0',
      accept: 'application/json',
    }
    const dropped = {
      'x-api-key': 'sk-second',
      'api-key': 'sk-third',
      cookie: 'session=client',
      'proxy-authorization': 'Basic eDp5',
      'proxy-connection': 'keep-alive',
      connection: 'close, x-this-hop',
      'x-this-hop': 'one hop only',
      te: 'trailers',
      'x-request-id': 'mine-1',
      'cache-control': 'no-cache',
      'x-millrace-user': 'somebody',
      'x-millrace-conversation': 'talk',
      'x-millrace-metadata': '{"team":"a"}',
      'x-millrace-provider': 'scene-provider',
      'x-millrace-include': 'metadata',
      'x-millrace-upstream-key': 'sk-mine',
      'x-millrace-sync': 'false',
      'x-millrace-sticky': 'none',
      'x-millrace-not-yet-known': '1',
    }
    const answer = await scene.chat(scene.body(), { ...kept, ...dropped })
    assert.equal(answer.status, 200, answer.text)
    const { headers, rawHeaders } = scene.upstream.last
    for (const [name, value] of Object.entries(kept)) assert.equal(headers[name], value, name)
    for (const name of Object.keys(dropped)) if (name !== 'connection') assert.equal(headers[name], undefined, name)
    assert.equal(headers['authorization'], `Bearer ${UPSTREAM_KEY}`)
    assert.equal(headers['host'], `127.0.0.1:${scene.upstream.port}`)
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['content-length'], String(scene.upstream.last.body.length))
    assert.equal(headers['transfer-encoding'], undefined)
    assert.doesNotMatch(
      rawHeaders.join('\n'),
      new RegExp(`${scene.gateway.token}|session=client|sk-second|sk-third|sk-mine|x-this-hop`, 'i'),
    )
  })

  test("the provider's own key goes, whichever header the client's came in", async () => {
    const headers = { 'x-api-key': scene.gateway.token, 'content-type': 'application/json' }
    const answer = await send(scene.chatUrl, { headers, body: JSON.stringify(scene.body()) })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(scene.upstream.last.headers['authorization'], `Bearer ${UPSTREAM_KEY}`)
    assert.equal(scene.upstream.last.headers['x-api-key'], undefined)
  })

  test('a provider without a key is asked without one', async () => {
    const model = await scene.gateway.serve(scene.upstream.baseUrl, { apiKeys: [] })
    const answer = await scene.chat(scene.body(model))
    assert.equal(answer.status, 200, answer.text)
    assert.equal(scene.upstream.last.headers['authorization'], undefined)
  })
})

describe('to the client', () => {
  for (const stream of [false, true]) {
    test(`of the provider's, the end-to-end ones${stream ? ', on a stream' : ''}`, async () => {
      scene.upstream.next(behaviours.manyHeaders())
      const answer = await scene.chat(scene.body(scene.alias, { stream }))
      assert.equal(answer.status, 200)
      const { headers } = answer
      assert.equal(headers['x-custom-header'], 'passes')
      assert.equal(headers['openai-processing-ms'], '123')
      assert.equal(headers['openai-version'], '2020-10-01')
      assert.equal(headers['x-millrace-upstream-request-id'], 'req_of_the_upstream')
      for (const name of ['set-cookie', 'openai-organization', 'proxy-authenticate', 'x-hop'])
        assert.equal(headers[name], undefined, name)
      const foreign = Object.keys(headers).filter((name) => /^(x-ratelimit|access-control)-/.test(name))
      assert.deepEqual(foreign, [])
      assert.notEqual(headers['x-request-id'], 'req_of_the_upstream')
      assert.notEqual(headers['keep-alive'], 'timeout=5')
      assert.equal(headers['x-millrace-provider'], 'scene-provider', 'a provider cannot forge our own')
      assert.notEqual(headers['x-millrace-revision'], '999999')
      const names = answer.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
      assert.equal(new Set(names).size, names.length, `no header twice: ${names.join(' ')}`)
    })
  }

  test("Millrace's own, on an unstreamed answer", async () => {
    const { headers, body } = await scene.chat(scene.body())
    assert.match(String(headers['x-millrace-id']), UUID)
    assert.equal(headers['x-millrace-provider'], 'scene-provider')
    assert.equal(headers['x-millrace-model'], 'upstream-model')
    assert.equal(headers['x-millrace-attempts'], '1')
    assert.equal(Number(headers['x-millrace-revision']), await scene.gateway.revision())
    const overhead = Number(headers['x-millrace-overhead-ms'])
    assert.ok(overhead >= 0 && overhead < 10_000, String(headers['x-millrace-overhead-ms']))
    assert.equal(headers['content-length'], String(body.length))
    assert.equal(headers['content-type'], 'application/json')
  })

  test("Millrace's own, on a stream", async () => {
    const { headers } = await scene.chat(scene.body(scene.alias, { stream: true }))
    assert.match(String(headers['x-millrace-id']), UUID)
    assert.equal(headers['cache-control'], 'no-cache')
    assert.equal(headers['x-accel-buffering'], 'no')
    assert.equal(headers['x-millrace-provider'], 'scene-provider')
    assert.match(String(headers['content-type']), /^text\/event-stream/)
    assert.equal(headers['content-length'], undefined)
  })

  test("what the gateway itself takes doesn't count the provider's slowness", async () => {
    scene.upstream.next(behaviours.answer({ afterMs: 3_000 }))
    const { headers } = await scene.chat(scene.body())
    assert.ok(Number(headers['x-millrace-overhead-ms']) < 2_500, String(headers['x-millrace-overhead-ms']))
  })

  test('a name that a header cannot carry breaks nothing', async () => {
    const model = await scene.gateway.serve(scene.upstream.baseUrl, { providerModel: 'modèle\u0142-😀' })
    const answer = await scene.chat(scene.body(model))
    assert.equal(answer.status, 200, answer.text)
    assert.ok(answer.headers['x-millrace-model'])
  })
})

describe('the request id', () => {
  for (const id of ['a', 'A-b_c.9', 'x'.repeat(128)]) {
    test(`${id.slice(0, 12)}… of ${id.length} is kept`, async () => {
      const answer = await scene.chat(scene.body(), { 'x-request-id': id })
      assert.equal(answer.headers['x-request-id'], id)
    })
  }
  for (const id of ['x'.repeat(129), 'with space', 'a/b', 'a,b', '<script>', 'caf\u00e9', "x'; DROP"]) {
    test(`${id.slice(0, 12)}… of ${id.length} is replaced`, async () => {
      const { headers } = await scene.chat(scene.body(), { 'x-request-id': id })
      assert.notEqual(headers['x-request-id'], id)
      assert.match(String(headers['x-request-id']), /^[A-Za-z0-9._-]{1,128}$/)
    })
  }
  test("is made where there is none, and is each request's own", async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await scene.chat(scene.body())).headers['x-request-id']),
    )
    assert.equal(new Set(ids).size, 20)
  })
  test("the record's id is unique though the client repeats its own", async () => {
    const both = await Promise.all([1, 2].map(() => scene.chat(scene.body(), { 'x-request-id': 'repeated' })))
    assert.notEqual(both[0]!.headers['x-millrace-id'], both[1]!.headers['x-millrace-id'])
    const records = await scene.gateway.records('repeated', 2)
    assert.deepEqual(new Set(records.map(({ id }) => id)), new Set(both.map(({ headers }) => headers['x-millrace-id'])))
  })
})
