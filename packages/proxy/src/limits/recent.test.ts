import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { Recent } from './recent.ts'

suite('what was set lately', () => {
  test('is forgotten after an interval in which it was not set', () => {
    const recent = new Recent<string>()
    recent.set('once', 'a')
    recent.set('again', 'b')
    recent.age()
    assert.deepEqual([recent.get('once'), recent.values()], ['a', ['a', 'b']])
    recent.set('again', 'b')
    recent.age()
    assert.deepEqual([recent.get('once'), recent.values()], [undefined, ['b']])
    recent.age()
    assert.deepEqual(recent.values(), [])
  })

  test('is told once, as it was set last', () => {
    const recent = new Recent<string>()
    recent.set('key', 'before')
    recent.age()
    recent.set('key', 'after')
    assert.deepEqual([recent.get('key'), recent.values()], ['after', ['after']])
  })
})
