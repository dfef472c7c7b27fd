import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { JsonObject } from '../../canonical/values.ts'
import { PartialCall } from './partial-call.ts'

const call = (functionCall: JsonObject): JsonObject => ({ functionCall })
const piece = (jsonPath: string, value: JsonObject): JsonObject => ({ jsonPath, ...value })

/** All parts that are whole, as JSON. */
function whole(parts: readonly JsonObject[]): unknown[] {
  const partial = new PartialCall()
  const told = [...parts.flatMap((part) => partial.take(part)), ...partial.end()]
  return JSON.parse(JSON.stringify(told))
}

describe('calls in pieces', () => {
  it('are put together', () => {
    const parts = [
      { ...call({ name: 'weather', id: 'c1', willContinue: true }), thoughtSignature: 'c2ln' },
      call({ partialArgs: [piece('$.city', { stringValue: 'Os', willContinue: true })], willContinue: true }),
      call({ partialArgs: [piece('$.city', { stringValue: 'lo' })], willContinue: true }),
      call({ partialArgs: [piece('$.days[1].from', { numberValue: 2 })], willContinue: true }),
      call({ partialArgs: [piece('$.days[0].from', { numberValue: 1 })], willContinue: true }),
      call({
        partialArgs: [piece("$['a b'].sure", { boolValue: true }), piece('$.none', { nullValue: 'NULL_VALUE' })],
      }),
    ]
    const args = { city: 'Oslo', days: [{ from: 1 }, { from: 2 }], 'a b': { sure: true }, none: null }
    assert.deepEqual(whole(parts), [{ functionCall: { name: 'weather', id: 'c1', args }, thoughtSignature: 'c2ln' }])
  })

  it('end with an empty piece, with the next call, or with the answer', () => {
    const begun = call({ name: 'a', willContinue: true })
    const pieces = call({ partialArgs: [piece('$.x', { numberValue: 1 })], willContinue: true })
    const done = call({ name: 'a', args: { x: 1 } })
    assert.deepEqual(whole([begun, pieces, call({})]), [done])
    assert.deepEqual(whole([begun, pieces]), [done])
    assert.deepEqual(whole([begun, pieces, call({ name: 'b', args: {} })]), [done, call({ name: 'b', args: {} })])
  })

  it('leave what is no piece as it is', () => {
    const parts = [{ text: 'Hi' }, call({ name: 'a', args: { x: 1 } }), call({ name: 'b' })]
    assert.deepEqual(whole(parts), parts)
  })

  it('forget paths that are none', () => {
    for (const path of ['', 'x', '$', '$..x', '$[99999999]', '$.x[', `$${'[0]'.repeat(1_000)}`, '$.__proto__.x']) {
      const [told] = whole([call({ name: 'a', partialArgs: [piece(path, { numberValue: 1 })] })]) as JsonObject[]
      assert.equal((told!['functionCall'] as JsonObject)['name'], 'a')
    }
    const list = piece('$.a[0]', { numberValue: 1 })
    for (const path of ['$.a.__proto__.x', '$.a.length', '$.a.push']) {
      const strange = piece(path, { stringValue: 'x' })
      assert.deepEqual(whole([call({ name: 'a', partialArgs: [list, strange] })]), [
        call({ name: 'a', args: { a: [1] } }),
      ])
    }
    assert.equal(({} as JsonObject)['x'], undefined)
    assert.equal(([] as unknown as JsonObject)['x'], undefined)
  })
})
