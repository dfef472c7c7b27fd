import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { StreamPart } from '../../canonical/answer.ts'
import { ConverseReader } from './stream-read.ts'

const MEGABYTE = 1_048_576

function typesOf(parts: readonly StreamPart[]): string[] {
  return parts.map(({ type }) => type)
}

describe('images in a stream', () => {
  const reader = () => new ConverseReader({ names: null, customs: [], stop: null })
  const take = (stream: ConverseReader, contentBlockIndex: number, bytes: number) => {
    const image = { source: { bytes: Buffer.alloc(bytes).toString('base64') } }
    return typesOf(stream.take(JSON.stringify({ contentBlockIndex, delta: { image } }), 'contentBlockDelta'))
  }

  it('end the stream where more of them would have to be held than one may be large', () => {
    const stream = reader()
    for (let i = 0; i < 32; i++) assert.deepEqual(take(stream, i % 3, MEGABYTE), i === 0 ? ['start'] : [])
    assert.deepEqual(take(stream, 0, 1), ['error'])
    assert.deepEqual([take(stream, 0, 1), stream.close()], [[], []])
  })

  it('are let go of as they end', () => {
    const stream = reader()
    for (const index of [0, 1, 2, 3]) {
      assert.ok(!take(stream, index, 12 * MEGABYTE).includes('error'))
      assert.deepEqual(typesOf(stream.take(`{"contentBlockIndex":${index}}`, 'contentBlockStop')), ['part'])
    }
  })
})
