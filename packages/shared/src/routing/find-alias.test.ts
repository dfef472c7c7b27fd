import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { findAlias, indexAliases, providerModelOf } from './find-alias.ts'

const alias = (name: string, projectId: string | null = null) => ({ name, projectId })
const provider = (name: string, direct = true) => ({ name, direct })

/** What is found, in short. */
function found(index: ReturnType<typeof indexAliases>, projectId: string | null, model: string): unknown {
  const result = findAlias(index, projectId, model)
  if (result === null) return null
  return 'alias' in result
    ? [result.alias.name, result.alias.projectId, result.model, result.matched]
    : [result.provider.name, result.model]
}

describe('findAlias', () => {
  it("prefers the project's own of a name, and shows nobody else's", () => {
    const index = indexAliases([alias('m'), alias('m', 'p'), alias('mine', 'p')], [])
    assert.deepEqual(found(index, 'p', 'm'), ['m', 'p', 'm', null])
    assert.deepEqual(found(index, 'q', 'm'), ['m', null, 'm', null])
    assert.deepEqual(found(index, null, 'm'), ['m', null, 'm', null])
    assert.equal(found(index, 'q', 'mine'), null)
    assert.equal(found(index, null, 'mine'), null)
  })

  it('takes an exact name before a wildcard, and of these the longest beginning', () => {
    const index = indexAliases([alias('gpt-*'), alias('gpt-4*'), alias('gpt-4o'), alias('*', 'p')], [])
    assert.deepEqual(found(index, 'q', 'gpt-4o'), ['gpt-4o', null, 'gpt-4o', null])
    assert.deepEqual(found(index, 'q', 'gpt-4.1'), ['gpt-4*', null, 'gpt-4.1', '.1'])
    assert.deepEqual(found(index, 'q', 'gpt-5'), ['gpt-*', null, 'gpt-5', '5'])
    assert.deepEqual(found(index, 'q', 'gpt-'), ['gpt-*', null, 'gpt-', ''])
    assert.equal(found(index, 'q', 'gpt'), null)
    assert.deepEqual(found(index, 'p', 'gpt-5'), ['gpt-*', null, 'gpt-5', '5'])
    assert.deepEqual(found(index, 'p', 'other'), ['*', 'p', 'other', 'other'])
  })

  it("breaks a tie of wildcards for the project's own", () => {
    const index = indexAliases([alias('a-*'), alias('a-*', 'p'), alias('a-b*', 'q')], [])
    assert.deepEqual(found(index, 'p', 'a-b'), ['a-*', 'p', 'a-b', 'b'])
    assert.deepEqual(found(index, 'q', 'a-b'), ['a-b*', 'q', 'a-b', ''])
    assert.deepEqual(found(index, 'r', 'a-b'), ['a-*', null, 'a-b', 'b'])
  })

  it('finds direct providers last, the longest name first', () => {
    const index = indexAliases(
      [alias('acme/known')],
      [provider('acme'), provider('acme/eu'), provider('closed', false), provider('')],
    )
    assert.deepEqual(found(index, 'p', 'acme/known'), ['acme/known', null, 'acme/known', null])
    assert.deepEqual(found(index, 'p', 'acme/org/model'), ['acme', 'org/model'])
    assert.deepEqual(found(index, 'p', 'acme/eu/model'), ['acme/eu', 'model'])
    assert.deepEqual(found(index, 'p', 'acme/eu/'), ['acme', 'eu/'])
    for (const model of ['acme', 'acme/', '/', '', '/model', 'closed/model', 'unknown/model'])
      assert.equal(found(index, 'p', model), null, model)
  })
})

describe('providerModelOf', () => {
  it('puts what was matched in the place of the `*`', () => {
    assert.equal(providerModelOf(null, 'gpt-5', '5'), 'gpt-5')
    assert.equal(providerModelOf('fixed', 'gpt-5', '5'), 'fixed')
    assert.equal(providerModelOf('openai/gpt-*', 'gpt-5', '5'), 'openai/gpt-5')
    assert.equal(providerModelOf('*', 'gpt-5', '5'), '5')
    assert.equal(providerModelOf('literal*', 'gpt-5', null), 'literal*')
  })
})
