import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { eventData, EventSplitter } from './events.ts'

function split(packets: readonly string[]): { events: string[]; rest: string } {
  const splitter = new EventSplitter()
  const events: string[] = []
  for (const packet of packets) {
    splitter.push(packet)
    while (splitter.next()) events.push(splitter.text.slice(splitter.start, splitter.end))
  }
  return { events, rest: splitter.rest() }
}

const EVENTS = {
  LF: ['data: one\n\n', ': a comment\n\n', 'event: x\ndata: two\ndata: lines\n\n', 'data:three\n\n'],
  CRLF: [
    'data: one\r\n\r\n',
    ': a comment\r\n\r\n',
    'event: x\r\ndata: two\r\ndata: lines\r\n\r\n',
    'data:three\r\n\r\n',
  ],
  CR: ['data: one\r\r', ': a comment\r\r', 'event: x\rdata: two\rdata: lines\r\r', 'data:three\r\r'],
}

describe('EventSplitter', () => {
  for (const [lineEnd, events] of Object.entries(EVENTS)) {
    const stream = events.join('')

    it(`splits a stream with ${lineEnd} in one packet`, () => {
      assert.deepEqual(split([stream]), { events, rest: '' })
    })

    it(`splits a stream with ${lineEnd} at every byte`, () => {
      assert.deepEqual(split([...stream]), { events, rest: '' })
    })

    it(`splits a stream with ${lineEnd} at any two points`, () => {
      for (let i = 0; i < stream.length; i++) {
        for (let j = i; j < stream.length; j++) {
          assert.deepEqual(
            split([stream.slice(0, i), stream.slice(i, j), stream.slice(j)]).events,
            events,
            `${i}, ${j}`,
          )
        }
      }
    })
  }

  it('keeps what has no end yet', () => {
    assert.deepEqual(split(['data: one\n\ndata: tw']), { events: ['data: one\n\n'], rest: 'data: tw' })
  })

  for (const [name, line, end] of [
    ['of one line', 'x', '\n\n'],
    ['of many lines', 'data: x\n', '\n'],
    ['of many lines that end in CR LF', 'data: x\r\n', '\r\n'],
  ] as const) {
    it(`joins a large event ${name}, split at every byte`, () => {
      const event = `data: ${line.repeat(20_000)}${end}`
      assert.deepEqual(split([...event, 'data']), { events: [event], rest: 'data' })
    })
  }
})

describe('eventData', () => {
  it('joins the data lines and takes away one space', () => {
    assert.equal(eventData('data: a\ndata:  b\ndata:c\nid: 1\n\n'), 'a\n b\nc')
    assert.equal(eventData('data\n\n'), '')
    assert.equal(eventData(': ping\n\n'), null)
    assert.equal(eventData('database: x\n\n'), null)
  })
})
