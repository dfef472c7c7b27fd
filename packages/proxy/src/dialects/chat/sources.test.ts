/** Sources of a whole streamed answer, which providers tell beside its choices. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { StreamPart } from '../../canonical/answer.ts'
import { chatWire } from './wire.ts'

function read(chunks: readonly object[]): StreamPart[] {
  const reader = chatWire().reader({ dropped: [], answerTool: null, memo: null })
  return [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].flatMap((data) => [...reader.take(data, '')])
}

const chunk = (delta: object, reason: string | null, more: object = {}): object => ({
  id: 'c',
  choices: [{ index: 0, delta, finish_reason: reason }],
  ...more,
})
const SOURCES = { citations: ['https://a.example/', 'https://b.example/'] }
const USAGE = { id: 'c', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }

describe('the sources of a streamed answer', () => {
  for (const [name, chunks] of [
    ['with each chunk', [chunk({ content: 'a' }, null, SOURCES), chunk({}, 'stop', SOURCES), USAGE]],
    ['with the chunk that ends it', [chunk({ content: 'a' }, null), chunk({}, 'stop', SOURCES), USAGE]],
    ['with the usage alone', [chunk({ content: 'a' }, null), chunk({}, 'stop'), { ...USAGE, ...SOURCES }]],
  ] as const) {
    it(`are told once, before its end, where they come ${name}`, () => {
      const parts = read(chunks)
      const types = ['start', 'text', 'citation', 'citation', 'finish', 'usage', 'done']
      assert.deepEqual(
        parts.map(({ type }) => type),
        types,
      )
      assert.deepEqual(
        parts.flatMap((part) => (part.type === 'citation' ? [part.citation.url] : [])),
        SOURCES.citations,
      )
    })
  }

  it('are left out where there is no text that rests on them', () => {
    const call = { index: 0, id: 'i', function: { name: 'look', arguments: '{}' } }
    const parts = read([chunk({ tool_calls: [call] }, 'tool_calls', SOURCES)])
    assert.equal(parts.filter(({ type }) => type === 'citation').length, 0)
  })

  it('give way to what the text itself is annotated with', () => {
    const annotation = { type: 'url_citation', url_citation: { url: 'https://c.example/' } }
    const parts = read([chunk({ content: 'a', annotations: [annotation] }, 'stop', SOURCES)])
    assert.deepEqual(
      parts.flatMap((part) => (part.type === 'citation' ? [part.citation.url] : [])),
      ['https://c.example/'],
    )
  })
})
