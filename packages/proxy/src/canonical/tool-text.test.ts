import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { readInput, ToolText, writeInput } from './tool-text.ts'

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

describe('the arguments of a call as an object', () => {
  it('are those that they are, and stand in one if they are none', () => {
    for (const [text, written] of [
      ['', '{}'],
      [' \n', '{}'],
      ['{"n":1.50}', '{"n":1.50}'],
      [' {"a":[1e5]}\n', '{"a":[1e5]}'],
      ['{"a":', '{"input":"{\\"a\\":"}'],
      ['[1]', '{"input":"[1]"}'],
      // Numbers that JavaScript would spell otherwise are objects to it.
      ['1.50', '{"input":"1.50"}'],
      ['12345678901234567890', '{"input":"12345678901234567890"}'],
    ] as const) {
      assert.equal(JSON.stringify(writeInput(text, false)), written)
    }
  })

  it('are any text of a tool that takes it, there and back', () => {
    for (const text of ['', '*** x', '{}', '{"a":1}', '1.50']) {
      assert.deepEqual(writeInput(text, true), { input: text })
      assert.equal(readInput(writeInput(text, true), true), text)
    }
    assert.equal(readInput({ other: 1 }, true), '{"other":1}')
  })
})
