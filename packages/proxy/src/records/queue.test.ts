import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { RecordQueue, type Page } from './queue.ts'

const MEGABYTE = 1_048_576
const first = (queue: RecordQueue): Page => queue.waiting()[0]!
const read = (queue: RecordQueue): unknown => JSON.parse(queue.body(first(queue)).toString('utf8'))
const remove = (queue: RecordQueue): void => queue.taken(first(queue))

describe('RecordQueue', () => {
  it('gives batches in order, each until it is removed', () => {
    const queue = new RecordQueue(MEGABYTE, 2, '[', ']')
    for (const id of [1, 2, 3]) queue.push(JSON.stringify({ id, text: 'é日😀' }))
    const both = [1, 2].map((id) => ({ id, text: 'é日😀' }))
    assert.deepEqual(read(queue), both)
    assert.deepEqual(read(queue), both)
    assert.equal(queue.length, 3)
    remove(queue)
    assert.deepEqual(read(queue), [{ id: 3, text: 'é日😀' }])
    remove(queue)
    assert.equal(first(queue), undefined)
    assert.deepEqual([queue.length, queue.inMemory], [0, 0])
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
    queue.body(first(queue))
    queue.push('{"id":2}')
    assert.equal(await queue.stored(5), false)
    assert.equal(taken, false)
    remove(queue)
    await waiting
    assert.equal(queue.length, 1)
  })

  it('waits for what was pushed last, or since a mark, wherever it is', async () => {
    const queue = new RecordQueue(MEGABYTE, 1, '[', ']')
    const { mark } = queue
    queue.push('{"id":1}')
    queue.push('{"id":2}')
    const [one, two] = queue.waiting() as [Page, Page]
    queue.seal(two)
    queue.release(one)
    assert.deepEqual([queue.length, queue.inMemory], [2, 1])
    const both = queue.stored(60_000, mark)
    queue.taken(two)
    assert.equal(await queue.stored(60_000), true)
    assert.equal(await queue.stored(5, mark), false)
    queue.done(one.number, one.count)
    assert.equal(await both, true)
    assert.equal(queue.length, 0)
  })

  it('lets others go before a batch that was put off', () => {
    const queue = new RecordQueue(10 * MEGABYTE, 1, '[', ']')
    queue.push('{"id":1}')
    queue.body(first(queue))
    queue.defer(first(queue))
    assert.deepEqual(read(queue), [{ id: 1 }])
    queue.push('{"id":2}')
    queue.push('{"id":3}')
    queue.defer(first(queue))
    queue.push('{"id":4}')
    const order: unknown[] = []
    for (; queue.length > 0; remove(queue)) order.push(...(read(queue) as unknown[]))
    assert.deepEqual(
      order.map((record) => (record as { id: number }).id),
      [2, 3, 1, 4],
    )
  })

  it('adds nothing to a batch that is on its way', () => {
    const queue = new RecordQueue(MEGABYTE, 1_000, '[', ']')
    queue.push('{"id":1}')
    const body = queue.body(first(queue))
    queue.push('{"id":2}')
    assert.equal(body.toString(), '[{"id":1}]')
    assert.deepEqual(read(queue), [{ id: 1 }])
    remove(queue)
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
    remove(queue)
    assert.deepEqual(read(queue), [{ text: 'é'.repeat(MEGABYTE) }])
  })
})
