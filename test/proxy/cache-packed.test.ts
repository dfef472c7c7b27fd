/** Answers as they stand in Redis: what comes back, and that nothing else ever does. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { headOf } from '../../packages/proxy/dist/cache/packed-head.js'
import { pack, unpack } from '../../packages/proxy/dist/cache/packed.js'
import { cacheKey, storedAnswer, storedStream } from './cache/answers.ts'
import { content, frame, type Head } from './cache/frames.ts'

const KEY = cacheKey('one')
const MIB = 1_048_576
const BODY = '{"id":"chatcmpl-1"}'

/** What is unpacked of a head and body that have a frame as it should be. */
async function unpacked(head: unknown, body = BODY): Promise<unknown> {
  return unpack(KEY, frame(content(head, body)))
}

suite('packed answers', () => {
  test('come back as they were', async () => {
    for (const body of ['', 'a', BODY, 'x'.repeat(900), 'ab'.repeat(20_000), '\xff\x00'.repeat(2 * MIB)]) {
      const answer = storedAnswer({ body })
      assert.deepEqual(await unpack(KEY, (await pack(KEY, 'mark', answer))!), { mark: 'mark', answer })
    }
    for (const parts of [1, 2, 40_000]) {
      const answer = storedAnswer(storedStream(parts))
      assert.deepEqual((await unpack(KEY, (await pack(KEY, '', answer))!))?.answer, answer)
    }
  })

  test('have their pauses in whole milliseconds', async () => {
    const stream = { ends: [1, 2, 3, 4], at: [0, 0.4, 1.5, 1.6], usagePart: -1 }
    const given = await unpack(KEY, (await pack(KEY, '', storedAnswer({ body: 'abcd', stream })))!)
    assert.deepEqual(given?.answer.stream, { ...stream, at: [0, 0, 2, 2] })
  })

  test('are smaller than they were', async () => {
    const { body, ...rest } = storedStream(1_000)
    const packed = await pack(KEY, '', storedAnswer({ body, ...rest }))
    assert.ok(packed!.length < body.length / 2, `${packed!.length} of ${body.length}`)
  })

  test('are none where they would be too large', async () => {
    assert.equal(await pack(KEY, '', storedAnswer({ body: 'x'.repeat(8 * MIB) })), null)
  })

  test('are not those of another key', async () => {
    assert.equal(await unpack(cacheKey('two'), (await pack(KEY, '', storedAnswer()))!), null)
  })

  test('are none where a byte is cut, added or altered', async () => {
    for (const answer of [storedAnswer(), storedAnswer(storedStream(100))]) {
      const value = (await pack(KEY, 'mark', answer))!
      for (let i = 0; i < value.length; i++) {
        assert.equal(await unpack(KEY, value.subarray(0, i)), null, `cut at ${i}`)
        for (const bits of [0x01, 0x80]) {
          const altered = Buffer.from(value)
          altered[i]! ^= bits
          assert.equal(await unpack(KEY, altered), null, `altered at ${i}`)
        }
      }
      assert.equal(await unpack(KEY, Buffer.concat([value, Buffer.of(0)])), null)
    }
  })

  test('are none where the frame holds and the content does not', async () => {
    const head = headOf(KEY, '', storedAnswer())
    const whole = content(head, BODY)
    assert.notEqual(await unpack(KEY, frame(whole)), null, 'this one is as it should be')
    assert.notEqual(await unpack(KEY, frame(whole, { zstd: true })), null, 'and so is this')
    const values: Record<string, Buffer> = {
      'another form': frame(whole, { form: 2 }),
      'compressed, and says that it is not': frame(whole, { zstd: true, form: 0 }),
      'plain, and says that it is compressed': frame(whole, { form: 1 }),
      'longer than it says': frame(whole, { said: whole.length - 1 }),
      'shorter than it says': frame(whole, { said: whole.length + 1 }),
      'longer than it says, compressed': frame(whole, { zstd: true, said: whole.length - 1 }),
      'shorter than it says, compressed': frame(whole, { zstd: true, said: whole.length + 1 }),
      'a bomb': frame(Buffer.alloc(64 * MIB), { zstd: true, said: 1_000 }),
      'a bomb, slowly': frame(Buffer.alloc(64 * MIB), { zstd: true, said: 7 * MIB }),
      'a bomb that says so': frame(Buffer.alloc(64 * MIB), { zstd: true }),
      'no more than a frame': frame(Buffer.alloc(0)),
      'no head': frame(Buffer.alloc(3)),
      'a head that is longer than all': frame(Buffer.from([255, 255, 255, 255, 0])),
      'a head that is no JSON': frame(content('{', BODY)),
      'a head that is nothing': frame(content(null, BODY)),
      'a head that is a list': frame(content([], BODY)),
      'a head of depth': frame(content('['.repeat(100_000), BODY)),
      'a head that is no UTF-8': frame(Buffer.from([2, 0, 0, 0, 0xff, 0xfe])),
    }
    for (const [what, value] of Object.entries(values)) assert.equal(await unpack(KEY, value), null, what)
  })

  const head = headOf(KEY, '', storedAnswer()) as Head
  const stream = { lengths: [10, 9], pauses: [0, 5], usagePart: 1 }
  const WRONG: { readonly [Name in keyof Head]: readonly unknown[] } = {
    key: ['', 1, null, undefined],
    mark: [1, null, undefined, {}],
    status: [199, 300, 200.5, '200', null, undefined, -200, 1e9],
    headers: [
      null,
      {},
      'a',
      ['content-type'],
      ['content-type', 1],
      ['content-type', null],
      ['', 'a'],
      ['a b', 'c'],
      ['a:', 'c'],
      ['\u00e9', 'c'],
      ['a\r\nb', 'c'],
      ['a', 'b\r\nset-cookie: c'],
      ['a', 'b\n'],
      ['a', 'b\0'],
      ['a', '\u0100'],
      ['content-length', '3'],
      ['Transfer-Encoding', 'chunked'],
      ['connection', 'close'],
      ['upgrade', 'h2c'],
    ],
    stream: [
      1,
      [],
      {},
      undefined,
      { ...stream, lengths: [10, 8] },
      { ...stream, lengths: [10, 10] },
      { ...stream, lengths: [20, -1] },
      { ...stream, lengths: [9.5, 9.5] },
      { ...stream, lengths: ['10', 9] },
      { ...stream, lengths: [19] },
      { ...stream, lengths: 19 },
      { ...stream, pauses: [0] },
      { ...stream, pauses: [0, -1] },
      { ...stream, pauses: [0, 0.5] },
      { ...stream, pauses: [2 ** 53 - 1, 1] },
      { ...stream, usagePart: 2 },
      { ...stream, usagePart: -2 },
      { ...stream, usagePart: 0.5 },
      { ...stream, usagePart: null },
      { ...stream, lengths: [], pauses: [], usagePart: -1 },
    ],
    usage: [
      null,
      [],
      {},
      { ...head.usage, inputTokens: -1 },
      { ...head.usage, outputTokens: '1' },
      { ...head.usage, reasoningTokens: 1e300 },
      { ...head.usage, source: 'GUESSED' },
      { ...head.usage, source: undefined },
    ],
    providerId: [1, null, undefined],
    providerName: [1, null, undefined],
    providerModel: [1, null, undefined],
    projectId: [1, null, undefined],
    model: [1, null, undefined],
    storedAt: [-1, 1e300, '1', null, undefined],
    expiresAt: [-1, 0.5, '1', null, undefined],
    etag: ['', 'abc', '"a"b"', '"a\r\n"', `"${'a'.repeat(201)}"`, null, undefined],
  }
  for (const [name, values] of Object.entries(WRONG)) {
    test(`are none where ${name} is not what it should be`, async () => {
      assert.notEqual(await unpacked({ ...head, stream }), null, 'else it would be one')
      for (const value of values) {
        assert.equal(await unpacked({ ...head, stream, [name]: value }), null, JSON.stringify(value))
      }
    })
  }

  test('hold nothing that was not asked for', async () => {
    const more = JSON.stringify({ ...head, evil: 1 }).replace('{', '{"__proto__":{"x":1},"toString":2,')
    const given = (await unpacked(more)) as { answer: object }
    assert.deepEqual(given.answer, storedAnswer({ storedAt: head.storedAt, expiresAt: head.expiresAt }))
    assert.ok(!('x' in given.answer))
  })
})
