import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { BodyEdits } from './body-edits.ts'
import type { Asking } from './translation.ts'

const edits = new BodyEdits({
  rename: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
  drop: ['user', 'logprobs', 'web_search_options'],
  quiet: ['stream_options'],
})

function edited(body: string): { text: string; dropped: readonly string[] } {
  const asking = { dropped: [] as readonly string[] } as Asking
  const text = edits.apply(Buffer.from(body), asking).toString()
  return { text, dropped: asking.dropped }
}

describe('edits of a body', () => {
  for (const [what, body, text] of [
    ['the first', '{"user":"u","a":1}', '{"a":1}'],
    ['the last', '{"a":1,"user":"u"}', '{"a":1}'],
    ['the only', '{"user":"u"}', '{}'],
    ['the first two', '{"user":"u","logprobs":true,"a":1}', '{"a":1}'],
    ['the last two', '{"a":1,"user":"u","logprobs":true}', '{"a":1}'],
    ['all', '{ "user" : "u" , "logprobs" : true }', '{  }'],
    ['those around another', '{"user":"u","a":1,"logprobs":true}', '{"a":1}'],
    ['one of an escaped name', '{"a":1,"\\u0075ser":"u"}', '{"a":1}'],
    ['one that comes twice', '{"user":"u","a":1,"user":"v"}', '{"a":1}'],
    ['one far from its comma', `{"user":"u"${' '.repeat(3_000)},"a":1}`, '{"a":1}'],
    ['one between line ends', '{\n\t"a" : 1 ,\r\n\t"user" : "u"\n}', '{\n\t"a" : 1 \n}'],
  ] as const) {
    it(`leave out ${what}`, () => {
      assert.equal(edited(body).text, text)
    })
  }

  it('touch no text that only looks like a member, nor members within others', () => {
    const body = '{"a":"\\",\\"user\\":\\"u\\"","b":{"user":1,"seed":2},"c":["user"]}'
    assert.equal(edited(body).text, body)
    assert.deepEqual(edited(body).dropped, [])
  })

  it('give what has another name that name', () => {
    assert.equal(edited('{"seed": 5,"a":"é","\\u0073eed":6}').text, '{"random_seed":5,"a":"é","random_seed":6}')
  })

  it('say but once what is said by both names', () => {
    assert.equal(edited('{"max_tokens":7,"max_completion_tokens":5}').text, '{"max_tokens":5}')
    assert.equal(edited('{"max_completion_tokens":5,"max_tokens":null}').text, '{"max_tokens":5}')
    assert.equal(edited('{"max_completion_tokens":null,"max_tokens":7}').text, '{"max_tokens":7}')
  })

  it('tell what is left out, unless it is so anyway', () => {
    const told = (body: string): readonly string[] => edited(body).dropped
    assert.deepEqual(told('{"user":"u","logprobs":true,"stream_options":{"include_usage":true}}'), ['user', 'logprobs'])
    assert.deepEqual(told('{"user":null,"logprobs":false}'), [])
    assert.deepEqual(told('{"logprobs":false,"logprobs":true}'), ['logprobs'])
    // Said at all, it has the model search.
    assert.deepEqual(told('{"web_search_options":{}}'), ['web_search_options'])
    const asking = { dropped: ['thinking'] as readonly string[] } as Asking
    edits.apply(Buffer.from('{"user":"u"}'), asking)
    assert.deepEqual(asking.dropped, ['thinking', 'user'])
  })

  it('leave any other member as it is, in any order and spacing', () => {
    const name = fc.constantFrom('a', 'b"\\', 'user', 'logprobs', 'seed', 'max_tokens', 'random_seed', 'stream_options')
    const space = fc.constantFrom('', ' ', '\n\t', '  ')
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.jsonValue(), space)), space, (members, end) => {
        const body = `{${members.map(([key, value, gap]) => `${gap}${JSON.stringify(key)}${gap}:${gap}${JSON.stringify(value)}${gap}`).join(',')}${end}}`
        const expected: Record<string, unknown> = {}
        const has = new Map<string, unknown>(members.map(([key, value]) => [key, value]))
        for (const [key, value] of has) {
          if (['user', 'logprobs', 'stream_options', 'seed', 'random_seed'].includes(key)) continue
          expected[key] = value
        }
        const seed = has.get('seed') ?? has.get('random_seed') ?? null
        if (has.has('seed') || has.has('random_seed')) expected['random_seed'] = seed
        assert.deepEqual(JSON.parse(edited(body).text), JSON.parse(JSON.stringify(expected)))
      }),
    )
  })
})
