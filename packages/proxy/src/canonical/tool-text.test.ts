import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { ToolText } from './tool-text.ts'

function read(...pieces: readonly string[]): string {
  const reader = new ToolText()
  return pieces.map((piece) => reader.take(piece)).join('') + reader.close()
}

describe('the text of a call', () => {
  it('is what was said, wherever its JSON is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), fc.nat(), (text, a, b) => {
        const json = JSON.stringify({ input: text }).replaceAll('é', '\\u00e9')
        const [first, second] = [a % json.length, b % json.length].toSorted((x, y) => x - y) as [number, number]
        assert.equal(read(json.slice(0, first), json.slice(first, second), json.slice(second)), text)
      }),
    )
  })

  it('may be long', () => {
    const text = 'a\n'.repeat(3_000_000)
    assert.equal(read(JSON.stringify({ input: text })) === text, true)
  })

  it('is the JSON itself where that has another form', () => {
    for (const json of ['', '{}', '{"other":1}', 'plain', `{"other":"${'x'.repeat(5_000)}"}`]) {
      assert.equal(read(...json), json)
    }
  })

  it('is not kept back for a form that it has not', () => {
    const reader = new ToolText()
    assert.equal(reader.take(`{"other":"${'x'.repeat(5_000)}`).length, 5_010)
    assert.equal(reader.take('yz'), 'yz')
  })

  it('goes on behind an escape that is none', () => {
    assert.equal(read('{"input":"a\\uZZ', 'ZZb', 'c"}'), 'a\\uZZZZbc')
  })
})
