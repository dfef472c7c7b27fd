import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  findItems,
  findLeadingMembers,
  findMembers,
  findMembersAt,
  latin1Literal,
  replaceAll,
  splice,
  utf8FromLatin1,
} from './json.ts'

const names = new Set(['model', 'usage'])

function textsOf(text: string, name: string): string[] | null {
  const found = findMembers(text, names)
  return found && (found.get(name) ?? []).map(({ start, end }) => text.slice(start, end))
}

describe('findItems', () => {
  it('finds each value of a list, wherever that begins', () => {
    for (const list of ['[]', '[ ]', '[1]', '[ 1 ,"a]",{"b":[2,"}"]} , [[]],null]', '[true,-1.5e+3]']) {
      const text = `{"x":${list},"y":[9]}`
      const items = findItems(text, 5)!.map(({ start, end }) => JSON.parse(text.slice(start, end)) as unknown)
      assert.deepEqual(items, JSON.parse(list))
    }
  })

  it('refuses what is none, or does not end', () => {
    for (const text of ['', '{}', '1', '[', '[1', '[1,', '[1,]', '[1 2]', '["a', '[{]', '[1}']) {
      assert.equal(findItems(text, 0), null, text)
    }
  })
})

describe('findMembersAt', () => {
  it('finds an object’s members by where they stand in the whole text', () => {
    const text = '[{"model":"a"},{"x":1,"model":"b"}]'
    const [range] = findMembersAt(text, 15, names)!.get('model')!
    assert.equal(text.slice(range!.start, range!.end), '"b"')
    for (const from of [0, 2, text.length]) assert.equal(findMembersAt(text, from, names), null)
    assert.equal(findMembersAt('[{"model":"a"', 1, names), null)
  })
})

describe('findMembers', () => {
  it('finds a value wherever it stands among the outermost members', () => {
    assert.deepEqual(textsOf('{"model":"a"}', 'model'), ['"a"'])
    assert.deepEqual(textsOf(' { "x" : [1,{"model":"no"}] ,\n"model" : "a" , "y":{} } ', 'model'), ['"a"'])
    assert.deepEqual(textsOf('{"usage":{"a":[1,2,"}"]},"model":null}', 'usage'), ['{"a":[1,2,"}"]}'])
    assert.deepEqual(textsOf('{"model":-1.5e+3}', 'model'), ['-1.5e+3'])
  })

  it('finds each of several members of one name', () => {
    assert.deepEqual(textsOf('{"model":"a","x":1,"model":"b"}', 'model'), ['"a"', '"b"'])
  })

  it('knows a name by what it means, not by how it is spelt', () => {
    assert.deepEqual(textsOf('{"mod\\u0065l":"a"}', 'model'), ['"a"'])
    assert.deepEqual(textsOf('{"\\"model":"a"}', 'model'), [])
  })

  it('takes nothing inside a string or a nested object for a member', () => {
    assert.deepEqual(textsOf('{"x":"\\"model\\":\\"no\\"","y":{"model":"no"},"z":["model"]}', 'model'), [])
    assert.deepEqual(textsOf('{"x":"\\\\","model":"a"}', 'model'), ['"a"'])
  })

  it('refuses what is not one whole object', () => {
    for (const text of [
      '',
      '[]',
      '"model"',
      '{"model":"a"',
      '{"model":"a"} x',
      '{"model":"a',
      '{"model"}',
      '{"x":[1,2}',
      '{model:1}',
      '{"a":1,}',
    ]) {
      assert.equal(findMembers(text, names), null, text)
    }
  })

  it('agrees with JSON.parse on random objects', () => {
    for (let round = 0; round < 2_000; round++) {
      const object = randomObject()
      const text = JSON.stringify(object, null, Math.floor(Math.random() * 3))
      const [model] = textsOf(text, 'model')!
      assert.deepEqual(model === undefined ? undefined : JSON.parse(model), JSON.parse(text).model, text)
    }
  })
})

describe('findLeadingMembers', () => {
  it('finds what is whole in a beginning', () => {
    const text = '{"id":1,"model":"a","choices":[{"mess'
    const found = findLeadingMembers(text, names).get('model')!
    assert.equal(splice(text, replaceAll(found, '"b"')), '{"id":1,"model":"b","choices":[{"mess')
    assert.equal(findLeadingMembers('{"model":"a', names).size, 0)
  })
})

describe('splice', () => {
  it('keeps every other byte, in any encoding', () => {
    const bytes = Buffer.from('{"é":"日本","model":"gpt","n":1.0}')
    const text = bytes.toString('latin1')
    const edited = splice(text, replaceAll(findMembers(text, names)!.get('model')!, latin1Literal('modèle "x"')))
    assert.equal(utf8FromLatin1(edited), '{"é":"日本","model":"modèle \\"x\\"","n":1.0}')
  })
})

function randomObject(depth = 0): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  const keys = ['model', 'a', 'b"', 'c\\', 'usage', '{', '}', ',', ':', '日']
  for (let i = Math.floor(Math.random() * 6); i > 0; i--)
    object[keys[Math.floor(Math.random() * keys.length)]!] = randomValue(depth + 1)
  return object
}

function randomValue(depth: number): unknown {
  const kind = Math.floor(Math.random() * (depth > 3 ? 4 : 6))
  if (kind === 0) return Math.random() * 1e6
  if (kind === 1) return null
  if (kind === 2) return Math.random() > 0.5
  if (kind === 3) return ['', '"', '\\', '\\"', '"model":"x"', '}{', '\n', '日本'][Math.floor(Math.random() * 8)]
  if (kind === 4) return Array.from({ length: Math.floor(Math.random() * 4) }, () => randomValue(depth + 1))
  return randomObject(depth)
}
