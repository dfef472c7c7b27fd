/** What explanations say of access, a token's and a provider's, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Access } from '@millrace/shared'

import { createProject, createToken } from '../helpers/configuration.ts'
import { chosen, excluded, Explaining } from './explaining.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const explaining = new Explaining(stage)

  test("a token's: with which error proxies refuse its requests, where that can be told", async () => {
    const { name: model } = await explaining.alias([{ provider: await explaining.simulator() }])
    const project = await createProject(stage.control)
    const errorOf = async (access: Partial<Access>, more: object = {}): Promise<unknown> => {
      const { id: token } = await createToken(stage.control, { project, access })
      const decision = await explaining.explain({ model, token, ...more })
      assert.equal(chosen(decision), decision.errorClass === null ? 0 : -1)
      return decision.errorClass
    }
    assert.equal(await errorOf({ models: [model] }), null)
    assert.equal(await errorOf({ models: ['another'] }), 'model_not_allowed')
    assert.equal(await errorOf({ endpoints: ['/v1/models*'] }), 'endpoint_not_found')
    assert.equal(await errorOf({ methods: ['GET'] }), 'method_not_allowed')
    assert.equal(await errorOf({ requiredHeaders: ['x-team'] }), 'header_required')
    assert.equal(await errorOf({ requiredHeaders: ['x-team'] }, { headers: { 'X-Team': 'a' } }), null)
    assert.equal(await errorOf({ params: { n: ['1'] } }), null)
    assert.equal(await errorOf({ params: { n: ['1'] } }, { body: { n: 1 } }), null)
    assert.equal(await errorOf({ params: { n: ['1'] } }, { body: { n: 2 } }), 'param_not_allowed')
    // From where the request would come is not known.
    assert.equal(await errorOf({ ipRanges: ['192.0.2.1'], origins: ['https://app.example.com'] }), null)
  })

  test("a provider's: which routes are no candidates", async () => {
    const [careful, careless, far] = [
      await explaining.simulator({ access: { params: { n: ['1'] }, models: ['small*'] } }),
      await explaining.simulator(),
      await explaining.simulator({ access: { ipRanges: ['192.0.2.1'] } }),
    ]
    const { name: model } = await explaining.alias([
      { provider: careful, providerModel: 'small-1' },
      { provider: careful, providerModel: 'large-1' },
      { provider: careless, providerModel: 'large-1' },
      { provider: far, providerModel: 'large-1' },
    ])
    const one = await explaining.explain({ model, body: { n: 1 } })
    assert.deepEqual(excluded(one), [null, 'CONDITION_NOT_MET', null, null])
    const two = await explaining.explain({ model, body: { n: 2 } })
    assert.deepEqual(excluded(two), ['CONDITION_NOT_MET', 'CONDITION_NOT_MET', null, null])
  })
})
