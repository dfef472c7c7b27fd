import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { foldChatStream } from './fold.ts'
import { joinRuns } from './runs.ts'

const chunk = (choices: string, more = '') => `data: {"id":"1","choices":[${choices}]${more}}\n\n`
const choice = (delta: string, more = '') => `{"index":0,"delta":${delta}${more}}`
const content = (text: string, more = '') => chunk(choice(`{"content":"${text}"}`), more)
const joined = (...events: string[]) => joinRuns(events.join('')).filter((event) => event !== '')

describe('joinRuns', () => {
  it('makes one event of those that add text, as they stand', () => {
    assert.deepEqual(joined(content('a'), content('\\"b'), content(''), content('\\u00e9')), [content('a\\"b\\u00e9')])
    const other = content('x').replace('"1"', '"2"')
    assert.deepEqual(joined(content('a'), content('b'), other, other, 'data: [DONE]\n\n'), [
      content('ab'),
      other.replace('"x"', '"xx"'),
      'data: [DONE]\n\n',
    ])
  })

  for (const [name, of] of [
    ['with its role', (text: string) => chunk(choice(`{"role":"assistant","content":"${text}"}`))],
    ['beside what is null', (text: string) => chunk(choice(`{"content":null,"reasoning":"${text}","x":null}`))],
    ['of reasoning', (text: string) => chunk(choice(`{"reasoning_content":"${text}"}`, ',"logprobs":null'))],
    ['in lines that end otherwise', (text: string) => `event: message\r\ndata:${content(text).slice(5, -2)}\r\n\r\n`],
  ] as const) {
    it(`joins text ${name}`, () => assert.deepEqual(joined(of('a'), of('b')), [of('ab')]))
  }

  it('passes over padding, wherever it stands', () => {
    for (const of of [
      (text: string, padding: string) => content(text, `,"obfuscation":"${padding}"`),
      (text: string, padding: string) => content(text, `,"obfuscation":"${padding}","object":""`),
    ]) {
      assert.equal(joined(of('a', 'x'), of('b', ''), of('c', 'yy')).length, 1)
      assert.match(joined(of('a', 'x'), of('b', 'yy'))[0]!, /"content":"ab".*"obfuscation":"/)
    }
  })

  for (const [name, first, second] of [
    ['another end', content('a'), chunk(choice('{"content":"b"}', ',"finish_reason":"stop"'))],
    ['more behind', content('a'), `${content('b').trimEnd()} \n\n`],
    ['more behind its padding', content('a', ',"obfuscation":"x"'), content('b', ',"obfuscation":"x","usage":{}')],
    ['other padding', content('a', ',"x":{"obfuscation":"x"}'), content('b', ',"x":{"obfuscation":"y"}')],
    ['logprobs', chunk(choice('{"content":"a"}', ',"logprobs":{"content":[1]}')), null],
    ['what may be parts', chunk(choice('{"content":"a"}', ',"token_ids":[1]')), null],
    ['text beside the delta', chunk(choice('{"content":"a"}', ',"text":"a"')), null],
    ['other text', chunk(choice('{"content":"a","reasoning":"b"}')), null],
    ['a second choice', chunk(`${choice('{"content":"a"}')},{"index":1,"delta":{"content":"a"}}`), null],
    ['text elsewhere', chunk(choice('{}', ',"x":{"content":"a"}')), null],
  ] as const) {
    it(`leaves events apart that have ${name}`, () => {
      const unpadded = [first, second ?? first].map((event) => event.replace(',"obfuscation":"x"', ',"obfuscation":""'))
      assert.deepEqual(joined(first, second ?? first), unpadded)
    })
  }

  it('refuses a text that is cut within an escape', () => {
    assert.throws(() => joined(content('a'), content('\\u00'), content('41')), SyntaxError)
  })

  it('never changes what a stream says', () => {
    const event = fc.constantFrom(
      content('a'),
      content('b'),
      content('\\ud83d'),
      content('\\ude00'),
      content('a', ',"obfuscation":"x"'),
      content('b', ',"obfuscation":"yy"'),
      content('a', ',"usage":{"n":1}'),
      content('a', ',"x":{"obfuscation":"x"}'),
      content('a', ',"x":{"obfuscation":"y"}'),
      chunk(choice('{"role":"assistant","content":"a"}')),
      chunk(choice('{"content":null,"reasoning":"a"}')),
      chunk(choice('{"content":"a","reasoning":"a"}')),
      chunk(choice('{"content":"a","x":"a"}')),
      chunk(choice('{"content":"a"}', ',"logprobs":{"content":[1]}')),
      chunk(choice('{"content":"a"}', ',"token_ids":[1]')),
      chunk(choice('{"content":"a"}', ',"text":"a"')),
      chunk(choice('{"content":"a"}', ',"finish_reason":"length"')),
      chunk(choice('{}', ',"x":{"content":"a"}')),
      chunk(choice('{}', ',"x":{"content":"b"}')),
      chunk(`${choice('{"content":"a"}')},{"index":1,"delta":{"content":"b"},"finish_reason":"stop"}`),
      chunk('{"index":1,"delta":{"content":"a"},"finish_reason":"stop"}'),
    )
    const end = `${chunk(choice('{}', ',"finish_reason":"stop"'))}data: [DONE]\n\n`
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        // An id of its own keeps each event apart.
        const apart = events.map((text, i) => `id: ${i}\n${text}`)
        assert.equal(joinRuns(apart.join('')).length, apart.length + 1)
        assert.equal(foldChatStream(events.join('') + end), foldChatStream(apart.join('') + end))
      }),
      { numRuns: 2_000 },
    )
  })
})
