import assert from 'node:assert/strict'
import { test } from 'node:test'

import { joined } from './joined.ts'

test('who asks before it begins shares it, and who asks meanwhile gets the next', async () => {
  let runs = 0
  let open = Promise.withResolvers<void>()
  const ask = joined(async () => {
    const run = ++runs
    await open.promise
    return run
  })
  const first = [ask(), ask()]
  await Promise.resolve()
  await Promise.resolve()
  const second = [ask(), ask()]
  open.resolve()
  assert.deepEqual(await Promise.all([...first, ...second]), [1, 1, 2, 2])
  open = Promise.withResolvers<void>()
  const third = ask()
  open.resolve()
  assert.equal(await third, 3)
})

test('one that fails does so for those who shared it, and is followed by the next', async () => {
  let runs = 0
  const ask = joined(async () => {
    await Promise.resolve()
    if (++runs === 1) throw new Error('in vain')
    return runs
  })
  const first = [ask(), ask()]
  await Promise.resolve()
  await Promise.resolve()
  const second = ask()
  for (const one of first) await assert.rejects(one, /in vain/)
  assert.equal(await second, 2)
})
