import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { Asking, type Answer } from './asking.ts'

suite('a question', () => {
  const answer = (proxy: string, process: string, processes: number, cancelled = false): Answer => ({
    proxy,
    process,
    processes,
    cancelled,
    inFlight: [],
    test: null,
  })
  const never = (): boolean => false

  test('waits for all processes of each proxy, each of which counts once', async () => {
    const asking = new Asking(never)
    asking.take(answer('one', 'a', 2))
    asking.waitFor(['one', 'other'])
    assert.deepEqual(asking.silent, ['one', 'other'])
    asking.take(answer('one', 'a', 2, true))
    asking.take(answer('other', 'c', 1))
    assert.deepEqual(asking.silent, ['one'])
    asking.take(answer('one', 'b', 2))
    assert.deepEqual(asking.silent, [])
    await asking.over
    assert.ok(!asking.hasEnough)
    assert.deepEqual(
      asking.answers.map(({ process, cancelled }) => [process, cancelled]),
      [
        ['a', false],
        ['c', false],
        ['b', false],
      ],
    )
  })

  test('is over with an answer that is enough, whoever has not answered', async () => {
    const asking = new Asking(({ cancelled }) => cancelled)
    asking.waitFor(['one', 'other'])
    asking.take(answer('one', 'a', 2))
    assert.ok(!asking.hasEnough)
    asking.take(answer('one', 'b', 3, true))
    await asking.over
    assert.ok(asking.hasEnough)
  })

  test('that nobody is asked is over at once', async () => {
    const asking = new Asking(never)
    asking.waitFor([])
    await asking.over
  })
})
