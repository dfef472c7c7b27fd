import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { Bus } from './bus.ts'
import { Mailbox, type MailboxOptions } from './mailbox.ts'

suite('a mailbox', () => {
  const mailbox = (capacity: number, more: Partial<MailboxOptions> = {}): Mailbox<number> =>
    new Mailbox<number>({ capacity, maxBytes: 100, onClose: () => undefined, onDrop: () => undefined, ...more })
  const next = async (box: Mailbox<number>) => (await box.next()).value

  test('delivers in order, what waited and what comes', async () => {
    const box = mailbox(3)
    box.post(1)
    box.post(2)
    assert.deepEqual(await next(box), { message: 1, dropped: 0 })
    assert.deepEqual(await next(box), { message: 2, dropped: 0 })
    const waiting = [next(box), next(box)]
    box.post(3)
    box.post(4)
    assert.deepEqual(await Promise.all(waiting), [
      { message: 3, dropped: 0 },
      { message: 4, dropped: 0 },
    ])
  })

  test('drops the oldest when full, and tells how many since the last delivery', async () => {
    const box = mailbox(2)
    for (const message of [1, 2, 3, 4, 5]) box.post(message)
    assert.deepEqual(await next(box), { message: 4, dropped: 3 })
    box.post(6)
    box.post(7)
    assert.deepEqual(await next(box), { message: 6, dropped: 1 })
    assert.deepEqual(await next(box), { message: 7, dropped: 0 })
  })

  test('drops the oldest when what waits weighs too much, but holds one of any weight', async () => {
    let lost = 0
    const box = mailbox(10, { onDrop: () => lost++ })
    for (const message of [1, 2, 3]) box.post(message, 40)
    assert.deepEqual([await next(box), lost], [{ message: 2, dropped: 1 }, 1])
    box.post(4, 1_000)
    assert.deepEqual(await next(box), { message: 4, dropped: 1 })
    for (const message of [5, 6]) box.post(message, 50)
    assert.deepEqual(
      [await next(box), await next(box)],
      [
        { message: 5, dropped: 0 },
        { message: 6, dropped: 0 },
      ],
    )
  })

  test('ends whoever waits when it is closed, and tells once', async () => {
    let closed = 0
    const box = mailbox(2, { onClose: () => closed++ })
    const waiting = box.next()
    await box.return()
    await box.return()
    box.post(1)
    assert.deepEqual(
      [await waiting, await box.next()],
      [
        { done: true, value: undefined },
        { done: true, value: undefined },
      ],
    )
    assert.equal(closed, 1)
  })
})

test('a bus asks once for all who want the same, weighs once, and counts what they lose', async () => {
  let asked = 0
  let weighed = 0
  const bus = new Bus<number>(() => ++weighed)
  const wants = (message: number): boolean => (asked++, message > 1)
  const boxes = [1, 2, 3].map(() => bus.subscribe(1, wants, { question: 'above 1' }))
  for (const message of [1, 2, 3]) bus.publish(message)
  assert.deepEqual([asked, weighed], [3, 2])
  for (const box of boxes) assert.deepEqual((await box.next()).value, { message: 3, dropped: 1 })
  assert.deepEqual(bus.counts, { subscribers: 3, dropped: 3 })
  for (const box of boxes) await box.return()
  bus.publish(4)
  assert.deepEqual([asked, bus.size], [3, 0])
})

test('a bus hands out what is wanted, and forgets who has gone', async () => {
  const bus = new Bus<number>()
  const all = bus.subscribe(10)
  const even = bus.subscribe(10, (message) => message % 2 === 0)
  for (const message of [1, 2, 3]) bus.publish(message)
  assert.equal((await all.next()).value?.message, 1)
  assert.equal((await even.next()).value?.message, 2)
  await all.return()
  assert.equal(bus.size, 1)
})
