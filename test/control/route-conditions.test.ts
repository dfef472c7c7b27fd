/** What routes are chosen by, as an operator sets it and as proxies are told it, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const { ask, refused, provider, alias, newestNumber, publishedAlias } = operatorOf(stage)
  const condition = { 'metadata.plan': { $in: ['pro', 'team'] }, $or: [{ stream: true }, { $not: { user: 'ann' } }] }

  test("a route's condition and prices are stored as they are, and told to proxies", async () => {
    const { id: target } = await provider()
    const made = await alias([
      { provider: target, condition, inputPrice: '0.150', outputPrice: '00.6', cachedInputPrice: '0.000000000001' },
      { provider: target },
    ])
    const [first, second] = made.routes
    assert.deepEqual(first.condition, condition)
    assert.deepEqual([first.inputPrice, first.outputPrice, first.cachedInputPrice], ['0.15', '0.6', '0.000000000001'])
    assert.deepEqual([second.condition, second.inputPrice], [null, null])
    const told = (await publishedAlias(made.id)).routes
    assert.deepEqual(told[0], {
      id: first.id,
      providerId: target,
      providerModel: null,
      priority: 0,
      weight: 1,
      enabled: true,
      condition,
      inputPrice: 0.15,
      outputPrice: 0.6,
      cachedInputPrice: 1e-12,
    })
    assert.deepEqual([told[1]!.condition, told[1]!.inputPrice], [null, null])

    const number = await newestNumber()
    const { $or, ...rest } = condition
    await ask(documents.UPDATE_ROUTE, { id: first.id, input: { condition: { $or, ...rest }, inputPrice: '0.1500' } })
    assert.equal(await newestNumber(), number, 'the same in another order and spelling')
    const changed = await ask(documents.UPDATE_ROUTE, {
      id: first.id,
      input: { condition: { 'metadata.plan': null }, outputPrice: null, cachedInputPrice: '0' },
    })
    assert.deepEqual(changed, {
      ...first,
      condition: { 'metadata.plan': null },
      outputPrice: null,
      cachedInputPrice: '0',
    })
    const { changes } = await ask(documents.NEWEST_REVISION)
    assert.deepEqual(
      changes.map(({ path }: any) => path),
      ['condition', 'outputPrice', 'cachedInputPrice'],
      'a condition changes as a whole',
    )
    const cleared = await ask(documents.UPDATE_ROUTE, { id: first.id, input: { condition: null } })
    assert.equal(cleared.condition, null)
  })

  test('its prices may be written into the operation', async () => {
    const { id: target } = await provider()
    const { id } = await alias()
    const made = await ask(
      `mutation { it: addRoute(alias: "${id}", input: {
        provider: "${target}", inputPrice: 1.50, outputPrice: "2", cachedInputPrice: 3, condition: { stream: true }
      }) { inputPrice outputPrice cachedInputPrice condition } }`,
    )
    assert.deepEqual(
      { ...made },
      { inputPrice: '1.5', outputPrice: '2', cachedInputPrice: '3', condition: { stream: true } },
    )
  })

  test('null takes back what was set', async () => {
    const { id: target } = await provider()
    const made = await alias([{ provider: target, priority: 3, weight: 7, enabled: false, condition, inputPrice: '1' }])
    const [{ id }] = made.routes
    const input = { priority: null, weight: null, enabled: null, condition: null, inputPrice: null }
    const changed = await ask(documents.UPDATE_ROUTE, { id, input })
    assert.deepEqual(
      [changed.priority, changed.weight, changed.enabled, changed.condition, changed.inputPrice],
      [0, 1, true, null, null],
    )
  })

  for (const [input, field] of [
    [{ inputPrice: '-0.1' }, 'inputPrice'],
    [{ outputPrice: '0.1234567890123' }, 'outputPrice'],
    [{ cachedInputPrice: '1000000.1' }, 'cachedInputPrice'],
    [{ inputPrice: 'cheap' }, 'inputPrice'],
    [{ inputPrice: '1e3' }, 'inputPrice'],
    [{ inputPrice: true }, 'inputPrice'],
    [{ condition: 'stream' }, 'condition'],
    [{ condition: [] }, 'condition'],
    [{ condition: { colour: 'red' } }, 'condition.colour'],
    [{ condition: { 'metadata.plan': { $regex: '(a+)+$' } } }, 'condition.metadata.plan.$regex'],
    [{ condition: { 'metadata.plan': {} } }, 'condition.metadata.plan'],
    [{ condition: { $or: [{ stream: true }, { stream: 'yes' }] } }, 'condition.$or.1.stream'],
    [{ condition: { user: { $percent: [10, 5] } } }, 'condition.user.$percent'],
    [{ condition: { 'metadata.a': 'b\0' } }, 'condition'],
    [
      { condition: { user: { $in: Array.from({ length: 1_000 }, (_, i) => `a person with a long name ${i}`) } } },
      'condition',
    ],
  ] as const) {
    test(`input is refused: ${JSON.stringify(input).slice(0, 70)}`, async () => {
      const { id: target } = await provider()
      const routes = [{ provider: target, ...input }]
      await refused('BAD_USER_INPUT', `input.routes.0.${field}`, documents.CREATE_ALIAS, {
        input: { name: uniqueName('bad'), routes },
      })
      const made = await alias([{ provider: target }])
      await refused('BAD_USER_INPUT', `input.${field}`, documents.UPDATE_ROUTE, { id: made.routes[0].id, input })
    })
  }
})
