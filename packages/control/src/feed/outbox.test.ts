import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eventId, readEventId, type OngoingEvent } from './event.ts'
import { FeedLog } from './log.ts'
import { Outbox } from './outbox.ts'

const REQUEST = '01890000-0000-7000-8000-000000000000'

function ongoing(number: number, model = ''): OngoingEvent {
  const request = `${REQUEST.slice(0, -6)}${String(number).padStart(6, '0')}`
  const at = new Date(1_000 + number)
  return { kind: 'STARTED', id: eventId({ time: at, kind: 'STARTED', request }), at, request: { model } as never }
}

test('ids sort by time, then kind, and say what they were made of', () => {
  const key = { time: new Date('2026-01-01T00:00:00.001Z'), kind: 'FINISHED', request: REQUEST } as const
  const id = eventId(key)
  assert.deepEqual(readEventId(id), key)
  assert.ok(eventId({ ...key, kind: 'STARTED' }) < id)
  assert.ok(eventId({ ...key, time: new Date('2026-01-01T00:00:00.002Z'), kind: 'STARTED' }) > id)
  for (const other of ['', 'x', id.slice(1), `${id}0`, id.replace('-2-', '-3-'), id.toUpperCase()])
    assert.equal(readEventId(other), null, other)
})

test('what waits for other processes goes in batches, and of too much the oldest is lost and counted', () => {
  const outbox = new Outbox()
  assert.equal(outbox.take(), null)
  for (let i = 0; i < 3; i++) outbox.add(ongoing(i))
  const { first, events } = outbox.take()!
  assert.deepEqual([first, JSON.parse(events).length], [0, 3])
  for (let i = 0; i < 20; i++) outbox.add(ongoing(i, 'x'.repeat(700_000)))
  assert.equal(outbox.lost, 9)
  const batches = Array.from({ length: 12 }, () => outbox.take())
  assert.deepEqual(
    batches.map((batch) => batch?.first),
    [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, undefined],
  )
})

test('the log of a process knows its last events by their numbers, and lets go of the oldest', () => {
  const log = new FeedLog()
  for (let i = 0; i < 20_000; i++) assert.ok(log.add(ongoing(i), 0))
  assert.equal(log.add(ongoing(7), 0), false)
  assert.equal(log.find(ongoing(7).id), 7)
  assert.equal(log.since(new Date(1_100)), 100)
  log.add(ongoing(20_000), 0)
  assert.deepEqual([log.first, log.head, log.find(ongoing(7).id)], [1_000, 20_001, null])
  assert.deepEqual(
    log.from(0, 2).map(({ id }) => id),
    [ongoing(1_000).id, ongoing(1_001).id],
  )
})
