import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { plainText, readDirectives, secondsOf } from './directives.ts'

const read = (text: string) => Object.fromEntries(readDirectives(text))

describe('readDirectives', () => {
  it('knows names in any case, arguments as tokens and as quoted strings', () => {
    assert.deepEqual(read('Public, MAX-AGE=60 ,s-maxage="5",no-cache="set-cookie, x-y", private'), {
      public: '',
      'max-age': '60',
      's-maxage': '5',
      'no-cache': 'set-cookie, x-y',
      private: '',
    })
  })
  it('takes the first of two', () => assert.deepEqual(read('max-age=1, max-age=100'), { 'max-age': '1' }))
  it('survives what is none', () => {
    assert.deepEqual(read(''), {})
    assert.deepEqual(read(',, ;=,'), {})
    assert.deepEqual(read('a="unfinished, max-age=3'), { a: '', unfinished: '', 'max-age': '3' })
  })
  it('takes no time for a long one', () => {
    const directives = readDirectives(`${'a="'.repeat(100_000)}, no-store`)
    assert.ok(directives.has('no-store'))
  })
})

describe('secondsOf', () => {
  for (const [text, seconds] of [
    ['max-age=60', 60],
    ['max-age=0', 0],
    ['max-age=-1', null],
    ['max-age=1.5', null],
    ['max-age', null],
    ['max-age=99999999999999999999', null],
    ['public', null],
  ] as const) {
    it(`${text}: ${seconds}`, () => assert.equal(secondsOf(readDirectives(text), 'max-age'), seconds))
  }
})

describe('plainText', () => {
  it('is what the library splits into the same', () => {
    assert.equal(
      plainText(readDirectives('Max-Age=60, no-cache="a, b=c", PUBLIC')),
      'max-age=60, no-cache=a  b c, public',
    )
  })
})
