import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

import type { Settings } from '@millrace/shared'

import { Distributor } from './distributor.ts'

/** A worker that notes what it is given. */
class Worker {
  readonly given: number[] = []
  readonly child = {
    send: (number: number, _socket: Socket): boolean => {
      this.given.push(number)
      return true
    },
  } as unknown as ChildProcess
}

async function settled(happened: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !happened(); i++) await delay(20)
  assert.ok(happened())
}

describe('Distributor', () => {
  it('gives each connection that waits to one worker, as these have room', async () => {
    const warnings: Error[] = []
    process.on('warning', (warning) => warnings.push(warning))
    const distributor = new Distributor()
    const url = await distributor.open({ MILLRACE_HOST: '127.0.0.1', MILLRACE_PROXY_PORT: 0 } as Settings)
    const sockets = Array.from({ length: 150 }, () => connect(Number(new URL(url).port)).on('error', () => undefined))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    await settled(() => distributor['waiting'].length === 150)
    const [slow, other] = [new Worker(), new Worker()]
    distributor.add(slow.child)
    assert.equal(slow.given.length, 64)
    distributor.add(other.child)
    assert.equal(other.given.length, 64)
    for (let i = 0; i < other.given.length; i++) distributor.taken(other.child, other.given[i]!)
    assert.deepEqual([slow.given.length, other.given.length], [64, 86])

    // One that leaves has what is on its way to it until it says what becomes of it.
    distributor.leave(slow.child)
    distributor.taken(slow.child, slow.given[0]!)
    assert.equal(other.given.length, 86)
    distributor.declined(slow.child, slow.given[1]!)
    distributor.declined(slow.child, slow.given[1]!)
    assert.equal(other.given.length, 87)
    distributor.remove(slow.child)
    assert.equal(other.given.length, 149)
    assert.equal(new Set(other.given).size, 149)
    await settled(() => sockets.filter((socket) => socket.destroyed).length === 87)
    distributor.remove(other.child)
    distributor.close()
    await settled(() => sockets.every((socket) => socket.destroyed))
    assert.deepEqual(warnings, [])
  })
})
