import assert from 'node:assert/strict'
import { test } from 'node:test'

import { TurnTimeout, Turns } from './turns.ts'

test('works take turns, also after one that has failed', async () => {
  const turns = new Turns(10_000)
  const said: string[] = []
  const work = (name: string) => async (): Promise<void> => {
    said.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    said.push(`${name} ends`)
    if (name === 'b') throw new Error('of b')
  }
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => turns.take(work(name))))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(said, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('one that waits too long is given up, and those behind it still wait for the first', async () => {
  const turns = new Turns(20)
  const { promise, resolve } = Promise.withResolvers<string>()
  const first = turns.take(() => promise)
  await assert.rejects(
    turns.take(() => assert.fail('was run')),
    TurnTimeout,
  )
  const third = turns.take(async () => 'third')
  resolve('first')
  assert.deepEqual(await Promise.all([first, third]), ['first', 'third'])
})
