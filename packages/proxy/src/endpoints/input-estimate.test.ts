import assert from 'node:assert/strict'
import { test } from 'node:test'

import { estimateInput } from './input-estimate.ts'

const MEDIA = Buffer.alloc(30_000, 'media').toString('base64')

/** Tokens that a body's own characters come to, and a thousand for each piece of media. */
function counted(shape: object, pieces: number): number {
  return Math.ceil(JSON.stringify(shape).replaceAll(MEDIA, '').length / 4) + pieces * 1_000
}

test('media counts as so many tokens a piece, however an API writes it', () => {
  for (const shape of [
    { image_url: { url: `data:image/png;base64,${MEDIA}` } },
    { input_audio: { format: 'wav', data: MEDIA } },
    { source: { type: 'base64', media_type: 'image/png', data: MEDIA } },
    { file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${MEDIA}` } },
  ]) {
    assert.equal(estimateInput(JSON.stringify({ content: [shape] })), counted({ content: [shape] }, 1))
    assert.equal(estimateInput(JSON.stringify({ content: [shape, shape] })), counted({ content: [shape, shape] }, 2))
  }
})

test('a text counts by its length, also under the name of "data"', () => {
  for (const text of ['short', 'words that go on and on, '.repeat(40)]) {
    const body = JSON.stringify({ data: text })
    assert.equal(estimateInput(body), Math.ceil(body.length / 4))
  }
})
