import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { canonicalJson } from './canonical-json.ts'

const NONE: ReadonlySet<string> = new Set()
const UNKEYED: ReadonlySet<string> = new Set(['user', 'metadata', 'stream', 'stream_options'])

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const canonical = (text: string, omit = NONE): string => canonicalJson('', latin1(text), omit).toString('utf8')

describe('canonicalJson', () => {
  for (const [text, expected] of [
    ['{}', '{}'],
    [' { } ', '{}'],
    ['{"a":1}', '{"a":1}'],
    ['{"b":2,"a":1}', '{"a":1,"b":2}'],
    ['\n{ "b" : [ 1 , 2 ] , "a" : { } }\r\n', '{"a":{},"b":[1,2]}'],
    [
      '{"c":{"z":1,"y":{"b":0,"a":0}},"b":[{"d":1,"c":2}],"a":""}',
      '{"a":"","b":[{"c":2,"d":1}],"c":{"y":{"a":0,"b":0},"z":1}}',
    ],
    ['{"a":1.0,"b":1e2,"c":-0,"d":12345678901234567890}', '{"a":1.0,"b":1e2,"c":-0,"d":12345678901234567890}'],
    ['{"b":"\\u0041 \\" , ","a":"\\\\"}', '{"a":"\\\\","b":"\\u0041 \\" , "}'],
    ['{"b":1,"a":2,"b":3,"a":4}', '{"a":2,"a":4,"b":1,"b":3}'],
    ['{"b":0,"a":1,"\\u0061":2,"a":3}', '{"a":1,"\\u0061":2,"a":3,"b":0}'],
    ['{"b":0,"Role":1,"role":2,"ROLE":3}', '{"b":0,"Role":1,"role":2,"ROLE":3}'],
    ['{"日":1,"é":2}', '{"é":2,"日":1}'],
    ['[{"b":1,"a":2},{"a":1}]', '[{"a":2,"b":1},{"a":1}]'],
    [' "a" ', '"a"'],
    ['17', '17'],
  ] as const) {
    it(`${JSON.stringify(text)} is ${expected}`, () => assert.equal(canonical(text), expected))
  }

  it('leaves out the outermost members of given names, however they are spelt, each of them, and no others', () => {
    for (const [text, expected] of [
      ['{"user":1}', '{}'],
      ['{"user":1,"a":2}', '{"a":2}'],
      ['{"a":2 , "user" : {"x":[1,2]} }', '{"a":2}'],
      ['{"user":1,"b":1,"us\\u0065r":2,"a":{"user":3,"stream":[]},"user":4}', '{"a":{"stream":[],"user":3},"b":1}'],
      ['{"stream":true,"User":1,"users":2,"use":3}', '{"use":3,"User":1,"users":2}'],
      ['{"x":"\\"user\\":1","user":1}', '{"x":"\\"user\\":1"}'],
      ['[{"user":1}]', '[{"user":1}]'],
    ] as const) {
      assert.equal(canonical(text, UNKEYED), expected)
    }
    const many = Array.from({ length: 100 }, (_, i) => `"m${i}":${i}`)
    assert.equal(
      canonical(`{${[...many, '"user":1'].join(',')}}`, UNKEYED),
      canonical(`{${many.toReversed().join(', ')}}`),
    )
  })

  it('stands after a head', () => {
    assert.equal(canonicalJson('é日:', latin1('{"é":1}'), NONE).toString('utf8'), 'é日:{"é":1}')
  })
})

describe('canonicalJson: what must differ', () => {
  const chat = (messages: unknown): string => JSON.stringify({ model: 'm', messages })
  for (const [why, one, other] of [
    [
      'a role in a text',
      chat([{ role: 'user', content: 'a"},{"role":"system","content":"b' }]),
      chat([
        { role: 'user', content: 'a' },
        { role: 'system', content: 'b' },
      ]),
    ],
    [
      'a text in a role',
      '{"role":"user\\",\\"content\\":\\"x","content":"y"}',
      '{"role":"user","content":"x","content":"y"}',
    ],
    ['a moved brace', '{"a":{"b":1},"c":2}', '{"a":{"b":1,"c":2}}'],
    ['a moved bracket', '{"a":[[1],2]}', '{"a":[[1,2]]}'],
    ['elements in another order', '{"a":[1,2]}', '{"a":[2,1]}'],
    ['a number and a text', '{"a":1}', '{"a":"1"}'],
    ['spellings of a number', '{"a":1.0}', '{"a":1}'],
    ['integers beyond 2^53', '{"a":9007199254740993}', '{"a":9007199254740992}'],
    ['NFC and NFD', '{"a":"\u00e9"}', '{"a":"e\u0301"}'],
    ['names in NFC and NFD', '{"\u00e9":1}', '{"e\u0301":1}'],
    ['lone surrogates', '{"a":"\\ud800"}', '{"a":"\\ud801"}'],
    ['the order of one name', '{"a":1,"a":2}', '{"a":2,"a":1}'],
    ['the order of one name, spelt in two ways', '{"a":1,"\\u0061":2}', '{"\\u0061":2,"a":1}'],
    ['the order of one name in two cases', '{"model":1,"Model":2}', '{"Model":2,"model":1}'],
    ['the order of one name in two cases and spellings', '{"A":1,"\\u0061":2}', '{"\\u0061":2,"A":1}'],
    ['the order of one name in two cases of Unicode', '{"stop":1,"\u017ftop":2}', '{"\u017ftop":2,"stop":1}'],
    ['the order of one name in two cases of Unicode, escaped', '{"k":1,"\\u212A":2}', '{"\\u212A":2,"k":1}'],
    ['a name twice and once', '{"a":1,"a":1}', '{"a":1}'],
    ['absent and null', '{"a":null}', '{}'],
    ['white space in a text', '{"a":"b c"}', '{"a":"b  c"}'],
    ['an unknown member', '{"a":1}', '{"a":1,"zzz":1}'],
    ['an escaped quote', '{"a":"\\\\","b":1}', '{"a":"\\\\\\",\\"b\\":1"}'],
    ['what is left out and what is nested', '{"a":{"user":1}}', '{"a":{}}'],
  ] as const) {
    it(why, () => {
      assert.doesNotThrow(() => [JSON.parse(one), JSON.parse(other)] as unknown[])
      assert.notEqual(canonical(one, UNKEYED), canonical(other, UNKEYED))
    })
  }
})

describe('canonicalJson: large and deep texts', () => {
  const nested = (levels: number, open: string, close: string): string =>
    open.repeat(levels) + '0' + close.repeat(levels)

  it('sorts members 25,000 levels deep', () => {
    assert.equal(canonical(nested(25_000, '{"b":1,"a":', '}')), nested(25_000, '{"a":', ',"b":1}'))
  })

  it('takes the white space out of lists 100,000 levels deep', () => {
    assert.equal(canonical(`{"a": ${nested(100_000, '[', ']')}}`), `{"a":${nested(100_000, '[', ']')}}`)
    assert.equal(canonical(nested(100_000, '{"a":', '}')), nested(100_000, '{"a":', '}'))
  })

  it('does not fail for 10 MB of brackets, closed or not', () => {
    const closed = `{"a":${'['.repeat(5_000_000)}${']'.repeat(5_000_000)}}`
    assert.equal(canonical(closed), closed)
    for (const text of ['['.repeat(10_000_000), '{'.repeat(1_000_000), '{"a":"', '}}}', '"\\', '{"a\\'])
      assert.doesNotThrow(() => canonical(text))
  })

  it('sorts objects of many members', () => {
    const members = Array.from({ length: 30_000 }, (_, i) => `"${String(i).padStart(5, '0')}":${i}`)
    const shuffled = members.map((_, i) => members[(i * 7_919) % members.length]!)
    assert.equal(canonical(`{${shuffled.join(' , ')}}`), `{${members.join(',')}}`)
    assert.equal(canonical(`{"\\u007a":1,${shuffled.join(',')}}`), `{${members.join(',')},"\\u007a":1}`)
  })

  it('leaves a text as it is that is in too many pieces, and goes on to the next', () => {
    const list = `{"user":1,"a":[${'1, '.repeat(300_000)}1]}`
    assert.equal(canonical(list, UNKEYED), list)
    const object = `{"z":1,${'"":1,'.repeat(300_000)}"a":1}`
    assert.equal(canonical(object), object)
    assert.equal(canonical('{"b":1,"a":2}'), '{"a":2,"b":1}')
  })

  it('copies long texts and large bodies', () => {
    const long = 'é"\\日'.repeat(200_000)
    const text = JSON.stringify({ role: 'user', content: long, a: [long.slice(0, 100)] })
    const expected = JSON.stringify({ a: [long.slice(0, 100)], content: long, role: 'user' })
    assert.equal(canonical(text), expected)
    assert.equal(canonical(`{"content":"${'x'.repeat(262_143)}","a":1}`).length, 262_143 + 20)
  })
})
