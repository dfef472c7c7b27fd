/** Calls that a provider tells by turns, as the API has them: one after another. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import type { StreamPart } from '../../canonical/answer.ts'
import { CallsInTurn } from './calls-in-turn.ts'

function call(block: number, kind?: 'custom'): StreamPart {
  return { type: 'tool_call', choice: 0, block, id: `c${block}`, name: 'f', ...(kind && { kind }) }
}

function piece(block: number, text: string): StreamPart {
  return { type: 'arguments', choice: 0, block, text }
}

const TEXT: StreamPart = { type: 'text', choice: 0, block: 9, text: 'x' }
const FINISH: StreamPart = {
  type: 'finish',
  choice: 0,
  finish: { reason: 'tool_calls', own: null, stopSequence: null },
}

/** What is said after each part: its kinds, blocks and texts. */
function said(...parts: StreamPart[]): string[] {
  const inTurn = new CallsInTurn()
  return parts.map((part) => inTurn.take(part).map(shown).join(' '))
}

function shown(part: StreamPart): string {
  if (part.type === 'tool_call') return `call${part.block}`
  return part.type === 'arguments' ? `${part.block}:${part.text}` : part.type
}

describe('calls in turn', () => {
  test('pass at once where they come so', () => {
    const parts = [call(0), piece(0, '{"a":"}'), piece(0, '\\"{"}'), call(1), piece(1, '{}'), TEXT, call(2), FINISH]
    assert.deepEqual(said(...parts), parts.map(shown))
  })

  test('wait for the end of the one before', () => {
    assert.deepEqual(said(call(0), piece(0, '{"a"'), call(1), piece(1, '{'), piece(0, ':1}'), piece(1, '}'), FINISH), [
      'call0',
      '0:{"a"',
      '',
      '',
      '0::1} call1 1:{',
      '1:}',
      'finish',
    ])
  })

  test('that have no arguments yet are waited for', () => {
    assert.deepEqual(said(call(0), call(1), piece(1, '{}'), piece(0, '{}'), FINISH), [
      'call0',
      '',
      '',
      '0:{} call1 1:{}',
      'finish',
    ])
    assert.deepEqual(said(call(0), TEXT, piece(0, '{}'), FINISH), ['call0', '', '0:{} text', 'finish'])
    assert.deepEqual(said(call(0), TEXT, FINISH), ['call0', '', 'text finish'])
  })

  test('that never end let the others through with the finish', () => {
    assert.deepEqual(said(call(0), piece(0, '{"a'), call(1), TEXT, piece(1, '{'), call(2), FINISH), [
      'call0',
      '0:{"a',
      '',
      '',
      '',
      '',
      'call1 1:{ text call2 finish',
    ])
  })

  test('whose arguments are no JSON wait for nobody', () => {
    assert.deepEqual(said(call(0, 'custom'), piece(0, '{'), call(1), piece(1, '{}'), FINISH), [
      'call0',
      '0:{',
      'call1',
      '1:{}',
      'finish',
    ])
  })

  test('are each whole and together, however they are mixed', () => {
    const value = fc.json()
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(3)),
        fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
        (values, whose, sizes) => {
          const inputs = values.map((input) => `{"v":${input}}`)
          const parts = inputs.map((_, block) => call(block))
          const left = [...inputs]
          while (left.some((rest) => rest !== '')) {
            const block = whose.next().value! % left.length
            const size = sizes.next().value!
            const text = left[block]!.slice(0, size)
            left[block] = left[block]!.slice(size)
            if (text !== '') parts.push(piece(block, text))
          }
          const inTurn = new CallsInTurn()
          const out = [...parts, FINISH].flatMap((part) => inTurn.take(part))
          const texts = out.map((part) => (part.type === 'arguments' ? part.text : part.type))
          assert.equal(texts.join(''), `${inputs.map((input) => `tool_call${input}`).join('')}finish`)
        },
      ),
    )
  })
})
