import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { RecordQueue } from './queue.ts'

const MEGABYTE = 1_048_576
const read = (queue: RecordQueue): unknown => JSON.parse(queue.batch()!.toString('utf8'))

describe('RecordQueue', () => {
  it('gives batches in order, each until it is removed', () => {
    const queue = new RecordQueue(MEGABYTE, 2, '[', ']')
    for (const id of [1, 2, 3]) queue.push(JSON.stringify({ id, text: 'é日😀' }))
    const first = [1, 2].map((id) => ({ id, text: 'é日😀' }))
    assert.deepEqual(read(queue), first)
    assert.deepEqual(read(queue), first)
    assert.equal(queue.length, 3)
    queue.remove()
    assert.deepEqual(read(queue), [{ id: 3, text: 'é日😀' }])
    queue.remove()
    assert.equal(queue.batch(), null)
    assert.equal(queue.length, 0)
  })

  it('puts further members into a record', () => {
    const queue = new RecordQueue(MEGABYTE, 10, '[', ']')
    queue.push('{"id":1}', ',"é":[2],"b":{}')
    queue.push('{"id":3}')
    assert.deepEqual(read(queue), [{ id: 1, é: [2], b: {} }, { id: 3 }])
  })

  it('tells when what was pushed so far has been taken, or the time is over', async () => {
    const queue = new RecordQueue(MEGABYTE, 10, '[', ']')
    await queue.stored(60_000)
    queue.push('{"id":1}')
    let taken = false
    const waiting = queue.stored(60_000).then(() => (taken = true))
    queue.batch()
    queue.push('{"id":2}')
    await queue.stored(5)
    assert.equal(taken, false)
    queue.remove()
    await waiting
    assert.equal(queue.length, 1)
  })

  it('adds nothing to a batch that is on its way', () => {
    const queue = new RecordQueue(MEGABYTE, 1_000, '[', ']')
    queue.push('{"id":1}')
    const batch = queue.batch()!
    queue.push('{"id":2}')
    assert.equal(batch.toString(), '[{"id":1}]')
    assert.deepEqual(read(queue), [{ id: 1 }])
    queue.remove()
    assert.deepEqual(read(queue), [{ id: 2 }])
  })

  it('drops what does not fit, and counts it', () => {
    const queue = new RecordQueue(MEGABYTE, 1_000_000, '[', ']')
    const json = JSON.stringify({ text: 'x'.repeat(10_000) })
    for (let i = 0; i < 1_000; i++) queue.push(json)
    assert.ok(queue.length > 50 && queue.length * json.length < MEGABYTE, String(queue.length))
    assert.equal(queue.length + queue.dropped, 1_000)
    assert.equal(queue.overflowed, queue.dropped)
  })

  it('takes a record that is larger than a page', () => {
    const queue = new RecordQueue(10 * MEGABYTE, 1_000, '[', ']')
    queue.push('{"id":1}')
    queue.push(JSON.stringify({ text: 'é'.repeat(MEGABYTE) }))
    queue.remove()
    assert.deepEqual(read(queue), [{ text: 'é'.repeat(MEGABYTE) }])
  })
})
