import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { Bus } from './bus.ts'
import { Mailbox } from './mailbox.ts'

suite('a mailbox', () => {
  const mailbox = (capacity: number): Mailbox<number> => new Mailbox<number>(capacity, () => undefined)
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

  test('ends whoever waits when it is closed, and tells once', async () => {
    let closed = 0
    const box = new Mailbox<number>(2, () => closed++)
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
