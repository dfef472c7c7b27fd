import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'

import fc from 'fast-check'

import { AwsEventSplitter } from './aws-event-stream.ts'

/** All events of bytes that come in these pieces. */
function eventsOf(pieces: readonly Buffer[], splitter = new AwsEventSplitter()): string[] {
  const events: string[] = []
  for (const piece of pieces) {
    splitter.pushBytes(piece)
    while (splitter.next()) events.push(splitter.text.slice(splitter.start, splitter.end))
  }
  return events
}

function inPieces(bytes: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  )
}

function binaryFrame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const written = Object.entries(headers).map(([name, value]) =>
    Buffer.concat([
      Buffer.from([name.length]),
      Buffer.from(`${name}\u0007\0`),
      Buffer.from([Buffer.byteLength(value)]),
      Buffer.from(value),
    ]),
  )
  return frameWith(Buffer.concat(written), payload)
}

function eventFrame(name: string, payload: string): Buffer {
  return binaryFrame({ ':event-type': name, ':content-type': 'application/json', ':message-type': 'event' }, payload)
}

const FRAMES = [
  eventFrame('messageStart', '{"role":"assistant"}'),
  eventFrame('contentBlockDelta', '{"delta":{"text":"Grüße 😀"},"contentBlockIndex":0}'),
  eventFrame('messageStop', '{"stopReason":"end_turn"}'),
]
const EVENTS = [
  'event: messageStart\ndata: {"role":"assistant"}\n\n',
  `event: contentBlockDelta\ndata: {"delta":{"text":"${Buffer.from('Grüße 😀').toString('latin1')}"},"contentBlockIndex":0}\n\n`,
  'event: messageStop\ndata: {"stopReason":"end_turn"}\n\n',
]

describe('AwsEventSplitter', () => {
  it('gives each frame as an event, wherever the bytes are cut in two', () => {
    const bytes = Buffer.concat(FRAMES)
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(eventsOf([bytes.subarray(0, at), bytes.subarray(at)]), EVENTS)
    }
    for (const length of [1, 2, 3, 7, 100]) assert.deepEqual(eventsOf(inPieces(bytes, length)), EVENTS)
  })

  it('tells how many bytes wait', () => {
    const splitter = new AwsEventSplitter()
    const [first, second] = FRAMES as [Buffer, Buffer]
    eventsOf([first.subarray(0, 10)], splitter)
    assert.equal(splitter.pendingLength, 10)
    eventsOf([Buffer.concat([first.subarray(10), second.subarray(0, 30)])], splitter)
    assert.equal(splitter.pendingLength, 30)
    eventsOf([second.subarray(30)], splitter)
    assert.equal(splitter.pendingLength, 0)
    assert.equal(splitter.fault, null)
  })

  it('names exceptions, and errors that no service knows', () => {
    const frames = [
      binaryFrame({ ':exception-type': 'throttlingException', ':message-type': 'exception' }, '{"message":"too fast"}'),
      binaryFrame({ ':error-code': 'InternalError', ':error-message': 'größer', ':message-type': 'error' }, ''),
    ]
    assert.deepEqual(eventsOf(frames), [
      'event: throttlingException\ndata: {"message":"too fast"}\n\n',
      `event: error\ndata: {"code":"InternalError","message":"${Buffer.from('größer').toString('latin1')}"}\n\n`,
    ])
  })

  it('keeps an event to its lines', () => {
    const frame = binaryFrame({ ':message-type': 'event', ':event-type': 'a\ndata: b' }, '{\r\n "a": 1\n}')
    assert.deepEqual(eventsOf([frame]), ['event: \ndata: {   "a": 1 }\n\n'])
    assert.deepEqual(eventsOf([binaryFrame({}, '{}')]), ['event: \ndata: {}\n\n'])
  })

  it('faults on any bit that is not as it was sent, at the latest with the end of its frame', () => {
    const frame = FRAMES[1]!
    for (let at = 0; at < frame.length; at++) {
      const broken = Buffer.from(frame)
      broken[at]! ^= 1 << (at % 8)
      const splitter = new AwsEventSplitter()
      assert.deepEqual(eventsOf([FRAMES[0]!, broken, FRAMES[2]!], splitter), [EVENTS[0]])
      assert.match(splitter.fault!, /^the binary stream is broken: /)
      assert.deepEqual(eventsOf([FRAMES[0]!], splitter), [], 'nothing is read after a fault')
    }
  })

  it('faults on what is no such stream, without waiting for its end', () => {
    for (const text of ['data: {"a":1}\n\n', '<html><body>Bad Gateway</body></html>', '\0'.repeat(16)]) {
      const splitter = new AwsEventSplitter()
      assert.deepEqual(eventsOf([Buffer.from(text)], splitter), [])
      assert.notEqual(splitter.fault, null)
    }
  })

  it('faults on absurd lengths', () => {
    for (const [length, headers] of [
      [15, 0],
      [0, 0],
      [0xffff_ffff, 0],
      [40, 1_000],
      [40, 30],
    ] as const) {
      const splitter = new AwsEventSplitter()
      assert.deepEqual(eventsOf([frameSaying(length, headers)], splitter), [])
      assert.notEqual(splitter.fault, null, `${length}, ${headers}`)
    }
  })

  it('faults on headers that are none', () => {
    const splitter = new AwsEventSplitter()
    assert.deepEqual(eventsOf([frameWith(Buffer.from([1, 97, 99]), '{}')], splitter), [])
    assert.match(splitter.fault!, /header/)
  })

  it('reads any payload in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.integer({ min: 1, max: 64 }), (values, length) => {
        const texts = values.map((value) => JSON.stringify(value))
        const events = eventsOf(inPieces(Buffer.concat(texts.map((text) => eventFrame('x', text))), length))
        assert.deepEqual(
          events.map((event) => Buffer.from(event, 'latin1').toString('utf8')),
          texts.map((text) => `event: x\ndata: ${text}\n\n`),
        )
      }),
    )
  })
})

/** A frame in order, but for the lengths that it tells. */
function frameSaying(length: number, headers: number): Buffer {
  const frame = Buffer.alloc(40)
  frame.writeUInt32BE(length, 0)
  frame.writeUInt32BE(headers, 4)
  return sealed(frame)
}

function frameWith(headers: Buffer, payload: string): Buffer {
  const frame = Buffer.concat([Buffer.alloc(12), headers, Buffer.from(payload), Buffer.alloc(4)])
  frame.writeUInt32BE(frame.length, 0)
  frame.writeUInt32BE(headers.length, 4)
  return sealed(frame)
}

function sealed(frame: Buffer): Buffer {
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8)
  frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4)
  return frame
}
