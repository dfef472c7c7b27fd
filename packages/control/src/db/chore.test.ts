import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { pino } from 'pino'

import { Chore } from './chore.ts'

const OPTIONS = { what: 'tidy up', everyMs: 5 }

/** What was logged, as far as it was a complaint. */
function listened() {
  const lines: string[] = []
  return { lines, log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }) }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(1)
}

test('a chore is done again and again, one run after the other, until it is closed', async () => {
  let [runs, underWay, most] = [0, 0, 0]
  const work = async (): Promise<void> => {
    most = Math.max(most, ++underWay)
    await sleep(12)
    underWay--
    runs++
  }
  const chore = new Chore(work, OPTIONS, listened().log)
  await until(() => runs === 3)
  await chore.close()
  const done = runs
  assert.deepEqual([underWay, most], [0, 1])
  await sleep(50)
  assert.equal(runs, done)
})

test('one that fails goes on, and says so once', async () => {
  const { lines, log } = listened()
  let runs = 0
  const work = async (): Promise<void> => {
    if (++runs !== 3) throw new Error(`in vain ${runs}`)
  }
  const chore = new Chore(work, OPTIONS, log)
  await until(() => runs === 5)
  await chore.close()
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as { msg: string; reason: string }).map(({ msg, reason }) => [msg, reason]),
    [
      ['cannot tidy up', 'in vain 1'],
      ['cannot tidy up', 'in vain 4'],
    ],
  )
})

test('one that is closed is told to end, and nobody hears of it', async () => {
  const { lines, log } = listened()
  const begun = Promise.withResolvers<void>()
  const work = async (signal: AbortSignal): Promise<void> => {
    begun.resolve()
    await sleep(60_000, undefined, { signal })
  }
  const chore = new Chore(work, OPTIONS, log)
  const alive = setInterval(() => undefined, 1_000)
  await begun.promise
  await chore.close()
  clearInterval(alive)
  assert.deepEqual(lines, [])
})
