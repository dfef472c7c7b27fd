import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

import { isOrphaned, newOwnName } from './owner.ts'

const [HERE] = newOwnName().split('-')
const LONG_AGO = 0

test('what is its own is orphaned for no process', () => {
  assert.equal(isOrphaned(newOwnName(), LONG_AGO), false)
})

test("another machine's is orphaned when nobody has touched it", () => {
  assert.equal(isOrphaned('0123456789ab-1-1-00000000', Date.now()), false)
  assert.equal(isOrphaned('0123456789ab-1-1-00000000', LONG_AGO), true)
})

test(
  'a process that has ended owns nothing, though its parent never asks how it ended, nor one whose id is used again',
  {
    skip: process.platform !== 'linux' && 'read from /proc, which is Linux’s',
  },
  async () => {
    // Its parent becomes a program that waits for no child.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [pid] = String((await once(parent.stdout, 'data'))[0])
        .trim()
        .split('\n')
      const start = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21]
      const name = `${HERE}-${pid}-${start}-00000000`
      assert.equal(isOrphaned(name, LONG_AGO), false)
      assert.equal(isOrphaned(`${HERE}-${pid}-${Number(start) - 1}-00000000`, LONG_AGO), true)
      process.kill(Number(pid), 'SIGKILL')
      while (!isOrphaned(name, LONG_AGO)) await delay(20)
    } finally {
      parent.kill('SIGKILL')
    }
  },
)
