/** Which alias serves a model, and which of its routes a request may take. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { createProject } from '../helpers/configuration.ts'
import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { within } from '../helpers/wait.ts'

const scene = useScene()
const notFound = { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' }

/** What the provider was asked for. */
async function upstreamModel(model: string, headers: Record<string, string> = {}): Promise<unknown> {
  const answer = await scene.chat(scene.body(model), headers)
  assert.equal(answer.status, 200, answer.text)
  assert.equal((JSON.parse(answer.text) as { model: unknown }).model, model, 'the client reads the name that it wrote')
  return answer.headers['x-millrace-model']
}

describe('the alias', () => {
  const stem = uniqueName('wild')

  test('with * serves every model of its beginning, by the longest, and an exact name goes before', async () => {
    const { gateway, provider } = scene
    await gateway.addAlias(`${stem}-*`, [{ provider, providerModel: 'of-the-short' }])
    await gateway.addAlias(`${stem}-long-*`, [{ provider, providerModel: 'of-the-long' }])
    await gateway.addAlias(`${stem}-long-exact`, [{ provider, providerModel: 'of-the-exact' }])
    await gateway.untilServed()
    assert.equal(await upstreamModel(`${stem}-x`), 'of-the-short')
    assert.equal(await upstreamModel(`${stem}-long-x`), 'of-the-long')
    assert.equal(await upstreamModel(`${stem}-long-`), 'of-the-long')
    assert.equal(await upstreamModel(`${stem}-long-exact`), 'of-the-exact')
    assertError(await scene.chat(scene.body(stem)), notFound)
  })

  test('without a provider model passes on the one that was asked for; a * at its end stands for the rest', async () => {
    const { gateway, provider } = scene
    await gateway.addAlias(`${stem}as-it-is/*`, provider)
    await gateway.addAlias(`${stem}renamed/*`, [{ provider, providerModel: 'vendor/*' }])
    await gateway.untilServed()
    assert.equal(await upstreamModel(`${stem}as-it-is/a/b`), `${stem}as-it-is/a/b`)
    assert.equal(await upstreamModel(`${stem}renamed/a/b`), 'vendor/a/b')
  })

  test("of the token's project goes before the global one of that name, and is nobody else's", async () => {
    const { gateway, provider } = scene
    const project = await createProject(gateway.control)
    const { secret } = await gateway.addToken({ project })
    const mine = { authorization: `Bearer ${secret}` }
    const name = uniqueName('shared')
    await gateway.addAlias(name, [{ provider, providerModel: 'of-all' }])
    await gateway.addAlias(name, [{ provider, providerModel: 'of-the-project' }], { project })
    await gateway.addAlias(`${name}-*`, [{ provider, providerModel: 'wild-of-the-project' }], { project })
    await gateway.addAlias(`${name}-exact`, [{ provider, providerModel: 'exact-of-all' }])
    await gateway.untilServed()
    assert.equal(await upstreamModel(name), 'of-all')
    assert.equal(await upstreamModel(name, mine), 'of-the-project')
    assert.equal(await upstreamModel(`${name}-x`, mine), 'wild-of-the-project')
    assert.equal(await upstreamModel(`${name}-exact`, mine), 'exact-of-all', 'an exact name goes before a *')
    assertError(await scene.chat(scene.body(`${name}-x`)), notFound)
  })

  test('may be * alone, which serves what no other does', async () => {
    const { gateway, upstream, provider } = scene
    const project = await createProject(gateway.control)
    const { secret } = await gateway.addToken({ project })
    const mine = { authorization: `Bearer ${secret}` }
    const direct = uniqueName('direct')
    await gateway.addProvider(upstream.baseUrl, { name: direct, direct: true })
    await gateway.addAlias('*', [{ provider, providerModel: 'of-the-star' }], { project })
    await gateway.untilServed()
    for (const model of [uniqueName('whatever'), `${direct}/model`]) {
      assert.equal(await upstreamModel(model, mine), 'of-the-star')
    }
    assert.equal(await upstreamModel(scene.alias, mine), scene.providerModel, 'an alias of that name goes before')
    assert.equal(await upstreamModel(`${stem}-long-y`, mine), 'of-the-long', 'a longer beginning goes before')
  })

  test('is shown in the record of a model that it serves by its *', async () => {
    const answer = await scene.chat(scene.body(`${stem}-recorded`))
    const record = await scene.gateway.record(String(answer.headers['x-request-id']))
    assert.deepEqual([record.model, record.alias?.name], [`${stem}-recorded`, `${stem}-*`])
  })
})

describe('NAME/MODEL', () => {
  test('goes to the provider of that name, if it is direct', async () => {
    const { gateway, upstream } = scene
    const name = uniqueName('direct')
    await gateway.addProvider(upstream.baseUrl, { name, direct: true })
    await gateway.untilServed()
    const answer = await scene.chat(scene.body(`${name}/org/model-7b`))
    assert.equal(answer.status, 200, answer.text)
    assert.equal(upstream.last.model, 'org/model-7b')
    assert.equal(answer.headers['x-millrace-provider'], name)
    const record = await gateway.record(String(answer.headers['x-request-id']))
    assert.deepEqual([record.alias, record.provider?.name, record.providerModel], [null, name, 'org/model-7b'])
    assert.equal(record.decision?.strategy, null)
    assert.deepEqual(
      record.decision?.candidates.map((one) => [one.providerName, one.providerModel, one.selected]),
      [[name, 'org/model-7b', true]],
    )
  })

  test('is unknown where the provider is not direct, is switched off, or is not there', async () => {
    const { gateway, upstream } = scene
    const [closed, off] = [uniqueName('closed'), uniqueName('off')]
    await gateway.addProvider(upstream.baseUrl, { name: closed })
    await gateway.addProvider(upstream.baseUrl, { name: off, direct: true, enabled: false })
    await gateway.untilServed()
    const before = upstream.requests.length
    assertError(await scene.chat(scene.body(`${closed}/model`)), notFound)
    assertError(await scene.chat(scene.body(`${uniqueName('nobody')}/model`)), notFound)
    assertError(await scene.chat(scene.body(`${closed}/`)), notFound)
    const switchedOff = await scene.chat(scene.body(`${off}/model`))
    assert.ok([404, 503].includes(switchedOff.status), switchedOff.text)
    assert.equal(upstream.requests.length, before, 'nothing goes to a provider that was not meant')
  })

  test('of a million slashes is unknown, and that is found out quickly', async () => {
    const { gateway, upstream } = scene
    const name = uniqueName('direct')
    await gateway.addProvider(upstream.baseUrl, { name, direct: true })
    await gateway.untilServed()
    const before = upstream.requests.length
    for (const model of ['/'.repeat(1_000_000), 'a/'.repeat(500_000), name.repeat(1_000) + '/'.repeat(1_000_000)]) {
      const answer = await within(5_000, 'the answer', scene.chat(scene.body(model)))
      assert.ok(assertError(answer, notFound).length < 1_000, 'the message does not repeat it whole')
    }
    assert.equal(upstream.requests.length, before)
  })

  test('comes after the aliases', async () => {
    const { gateway, upstream, provider } = scene
    const name = uniqueName('direct')
    await gateway.addProvider(upstream.baseUrl, { name, direct: true })
    await gateway.addAlias(`${name}/taken`, [{ provider, providerModel: 'by-the-alias' }])
    await gateway.untilServed()
    assert.equal(await upstreamModel(`${name}/taken`), 'by-the-alias')
  })
})
