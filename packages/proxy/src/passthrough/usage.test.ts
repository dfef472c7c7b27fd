import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { costOf, PriceList } from '@millrace/shared'

import { bodyKindOf } from './body.ts'
import { readUsage, UsageTail } from './usage.ts'

describe('usage', () => {
  it('is read in every spelling', () => {
    const read = (value: unknown) => {
      const usage = readUsage(JSON.stringify(value))
      return usage && [usage.inputTokens, usage.outputTokens, usage.cachedInputTokens, usage.outputAudioTokens]
    }
    assert.deepEqual(
      read({ input_tokens: 1, output_tokens: 2, input_tokens_details: { cached_tokens: 1 } }),
      [1, 2, 1, 0],
    )
    assert.deepEqual(read({ prompt_tokens: 1, completion_tokens: 2 }), [1, 2, 0, 0])
    assert.deepEqual(read({ input_tokens: 1, output_token_details: { audio_tokens: 4 } }), [1, 0, 0, 4])
    assert.deepEqual(read({ total_tokens: 5, completion_tokens: 2 }), [3, 2, 0, 0])
    for (const none of [
      null,
      [],
      'x',
      {},
      { type: 'duration', seconds: 3 },
      { input_tokens: '3' },
      { total_tokens: 1.5 },
    ])
      assert.equal(read(none), null, JSON.stringify(none))
    assert.equal(readUsage('{"input_tokens":'), null)
  })

  it('tells the tokens of images apart, which may cost more than words', () => {
    const usage = readUsage(
      '{"input_tokens":50,"output_tokens":1300,"output_tokens_details":{"image_tokens":1290,"text_tokens":10}}',
    )!
    assert.equal(usage.outputImageTokens, 1_290)
    const price = new PriceList().priceOf({ kind: 'OPENAI', baseUrl: null }, 'gpt-image-1.5')!
    // 50 at $5, 1,290 at $32 and 10 at $10 a million.
    assert.equal(costOf(usage, price), '0.04163')
  })

  const tailOf = (text: string, size: number): UsageTail => {
    const tail = new UsageTail()
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += size) tail.add(bytes.subarray(at, at + size))
    return tail
  }

  it('is found at the end of a stream, however it is cut', () => {
    const stream = `data: {"b64":"${'x'.repeat(100_000)}","usage":{"input_tokens":1}}\n\ndata: {"a":"\\"usage\\":{\\"input_tokens\\":9}","usage": {"input_tokens":7,"output_tokens":8}}\n\n`
    for (const size of [1, 7, 16_384, 65_536, 1e6])
      assert.equal(tailOf(stream, size).read()?.outputTokens, 8, `${size}`)
  })
  it('is none where there is none, or half of it', () => {
    for (const text of ['', 'data: {"a":1}\n\n', 'data: {"usage":null}\n\n', 'data: {"usage":{"input_tokens":1'])
      assert.equal(tailOf(text, 5).read(), null, text)
  })
})

describe('a body', () => {
  const kind = (method: string, headers: Record<string, string>) => bodyKindOf({ method, headers } as never)

  it('is none, read, or not', () => {
    const json = { 'content-type': 'application/json; charset=utf-8', 'content-length': '2' }
    assert.equal(kind('POST', json), 'json')
    assert.equal(kind('POST', { ...json, 'content-type': 'application/merge-patch+json' }), 'json')
    assert.equal(kind('POST', { ...json, 'content-encoding': 'gzip' }), 'unread')
    assert.equal(kind('POST', { ...json, 'content-type': 'application/jsonl' }), 'unread')
    assert.equal(kind('POST', { ...json, 'content-type': 'multipart/form-data; boundary=b' }), 'unread')
    assert.equal(kind('POST', { 'transfer-encoding': 'chunked' }), 'unread')
    assert.equal(kind('POST', { ...json, 'content-length': '0' }), 'none')
    assert.equal(kind('DELETE', {}), 'none')
    assert.equal(kind('GET', json), 'none')
  })
})
