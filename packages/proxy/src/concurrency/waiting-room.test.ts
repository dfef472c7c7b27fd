import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'

import { DEFAULT_BREAKER } from '@millrace/shared'

import { ProviderHealth } from '../health/provider-health.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { WaitingRoom } from './waiting-room.ts'

const deadlines = new Deadlines()
after(() => deadlines.stop())

/** A provider that takes so many at once, and the room for it, in which nobody's time is over soon. */
function full(maxConcurrency: number) {
  const room = new WaitingRoom(deadlines)
  const provider = new ProviderHealth(
    { id: 'p', name: 'p', breaker: DEFAULT_BREAKER, forcedBreaker: null, breakerSetAt: null, maxConcurrency },
    () => {},
    (freed) => room.freed(freed),
  )
  for (let i = 0; i < maxConcurrency; i++) provider.take()
  const order: string[] = []
  const enter = (token: string, name = token): void => {
    const waiter = room.enter(token, [provider], performance.now() + 60_000)!
    void waiter.turn.then((place) => order.push(place ? name : `${name} in vain`))
  }
  const release = async (): Promise<void> => {
    provider.release()
    await Promise.resolve()
  }
  return { room, provider, order, enter, release }
}

describe('WaitingRoom', () => {
  it('hands places over, in turns among tokens', async () => {
    const { provider, order, enter, release, room } = full(1)
    for (const name of ['a1', 'a2', 'a3', 'a4']) enter('a', name)
    for (const name of ['b1', 'b2']) enter('b', name)
    for (let i = 0; i < 6; i++) {
      await release()
      assert.equal(provider.inFlight, 1, 'the place is taken for the next at once')
    }
    assert.deepEqual(order, ['a1', 'b1', 'a2', 'b2', 'a3', 'a4'])
    assert.equal(room.size, 0)
    await release()
    assert.equal(provider.inFlight, 0)
  })

  it('forgets who has given up, or whose time is over', async () => {
    const { provider, order, release, room, enter } = full(1)
    const gone = room.enter('a', [provider], performance.now() + 60_000)!
    const late = room.enter('a', [provider], performance.now() - 1)!
    enter('b')
    gone.giveUp()
    assert.equal(await late.turn, null)
    assert.equal(await gone.turn, null)
    gone.giveUp()
    assert.equal(room.size, 1)
    await release()
    assert.deepEqual(order, ['b'])
  })

  it('is bounded, and has room for others when one token has its share', () => {
    const { provider, room } = full(1)
    const enter = (token: string) => room.enter(token, [provider], performance.now() + 60_000)
    let entered = 0
    while (enter('greedy')) entered++
    assert.ok(entered > 100 && entered < 1_000, String(entered))
    assert.ok(enter('modest'))
    for (let token = 0; room.size < 10_000; token++) if (!enter(`t${token >> 3}`)) break
    assert.ok(room.size >= 1_000 && room.size < 10_000, String(room.size))
  })

  it('fills the places of a provider that may take more than before', async () => {
    const { provider, order, enter, room } = full(1)
    for (const token of ['a', 'b', 'c']) enter(token)
    provider.maxConcurrency = 3
    room.freed(provider)
    await Promise.resolve()
    assert.deepEqual(order, ['a', 'b'])
    assert.equal(provider.inFlight, 3)
  })
})
