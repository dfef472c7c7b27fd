import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { MemoryRoom, MemoryTier, type Kept } from './memory-tier.ts'

const MIB = 1_048_576
const HOUR_MS = 3_600_000

interface Thing extends Kept {
  readonly bytes: number
}

function thing(bytes: number, given: Partial<Thing> = {}): Thing {
  return { projectId: 'project', model: null, expiresAt: Date.now() + HOUR_MS, bytes, ...given }
}

function tierIn(room: MemoryRoom, prefix = ''): MemoryTier<Thing> {
  return new MemoryTier(room, prefix, ({ bytes }) => bytes)
}

describe('MemoryRoom', () => {
  it('stays within its bytes, whatever comes', () => {
    for (const most of [2_000, 100_000, 16 * MIB]) {
      const room = new MemoryRoom(most)
      const tier = tierIn(room)
      for (let i = 0; i < 100_000; i++) {
        tier.set(String(i % 7 === 0 ? i % 1_000 : i), thing(1 + ((i * 7_919) % 2_000)))
        if (i % 3 === 0) tier.get(String(i - (i % 5)))
        if (i % 11 === 0) tier.delete(String(i - 3))
        assert.ok(room.bytes <= most, `${room.bytes} of ${most}`)
      }
      assert.ok(room.bytes > most / 2, `${room.bytes} of ${most} are used`)
    }
  })

  it('keeps what is asked for, however much is asked for once', () => {
    const room = new MemoryRoom(16 * MIB)
    const tier = tierIn(room)
    const bytes = (i: number): number => (i % 20 === 0 ? 30_000 : 1_000) + ((i * 7_919) % 3_000)
    const hot = Array.from({ length: 100 }, (_, i) => `hot ${i}`)
    for (const [i, key] of hot.entries()) tier.set(key, thing(bytes(i)))
    for (const key of hot) assert.notEqual(tier.get(key), null)
    for (let i = 0; i < 100_000; i++) tier.set(`once ${i}`, thing(bytes(i)))
    assert.deepEqual(
      hot.filter((key) => tier.get(key) === null),
      [],
    )
  })

  it('lets what was asked for, and is no longer, give way', () => {
    const room = new MemoryRoom(MIB)
    const tier = tierIn(room)
    for (const name of ['a', 'b', 'c']) {
      for (let n = 0; n < 20_000; n++) {
        const key = `${name}${(Math.imul(n, 0x9e37_79b1) >>> 12) % 500}`
        if (tier.get(key) === null) tier.set(key, thing(1_000))
      }
    }
    const left = (name: string): number =>
      Array.from({ length: 500 }, (_, i) => tier.get(`${name}${i}`)).filter((each) => each !== null).length
    assert.ok(left('c') > 450, String(left('c')))
    assert.ok(left('a') < 100, String(left('a')))
  })

  it('takes nothing that is larger than an eighth of it, and leaves what stands there', () => {
    const room = new MemoryRoom(8_000)
    const tier = tierIn(room)
    assert.equal(tier.set('key', thing(900)), true)
    assert.equal(tier.set('key', thing(1_001)), false)
    assert.equal(tier.get('key')?.bytes, 900)
    assert.equal(room.mostEntryBytes, 1_000)
    assert.equal(tier.set('k', thing(999)), true, 'with its key')
  })

  it('is nothing of 0 bytes', async () => {
    const room = new MemoryRoom(0)
    const tier = tierIn(room)
    assert.equal(tier.set('key', thing(0)), false)
    assert.equal(tier.get('key'), null)
    assert.equal(tier.delete('key'), false)
    assert.equal(await room.purge(() => true), 0)
    assert.deepEqual([room.entries, room.bytes], [0, 0])
  })

  it('gives what it holds back, to the byte', () => {
    const room = new MemoryRoom(MIB)
    const tier = tierIn(room)
    tier.set('a', thing(1_000))
    tier.set('b', thing(2_000))
    tier.get('a')
    assert.equal(room.bytes, 3_002)
    tier.set('a', thing(500))
    assert.deepEqual([room.bytes, room.entries], [2_502, 2])
    assert.equal(tier.delete('a'), true)
    assert.equal(tier.delete('a'), false)
    assert.equal(tier.delete('b'), true)
    assert.deepEqual([room.bytes, room.entries], [0, 0])
  })

  it('forgets what has expired', (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const room = new MemoryRoom(MIB)
    const tier = tierIn(room)
    tier.set('brief', thing(100, { expiresAt: 1_030_000 }))
    tier.set('long', thing(100, { expiresAt: 1_040_000 }))
    context.mock.timers.setTime(1_029_999)
    assert.notEqual(tier.get('brief'), null)
    context.mock.timers.setTime(1_030_000)
    assert.equal(tier.get('brief'), null)
    assert.notEqual(tier.get('long'), null)
    assert.deepEqual([room.entries, room.bytes], [1, 104])
  })

  it('purges at once, and lets others run meanwhile', async () => {
    const room = new MemoryRoom(256 * MIB)
    const tier = tierIn(room)
    for (let i = 0; i < 200_000; i++) tier.set(String(i), thing(700, { projectId: i % 2 === 0 ? 'even' : 'odd' }))
    assert.equal(room.entries, 200_000)
    const state = { isOver: false }
    const purging = room.purge(({ projectId }) => projectId === 'even').finally(() => (state.isOver = true))
    for (const key of ['0', '199998']) assert.equal(tier.get(key), null, 'unreachable at once')
    assert.notEqual(tier.get('1'), null)
    tier.set('2', thing(700, { projectId: 'even' }))
    let turns = 0
    while (!state.isOver) {
      await sleep(0)
      turns++
      assert.equal(tier.get('4'), null)
    }
    assert.ok([99_999, 100_000].includes(await purging), 'the new one may have been gone by then')
    assert.ok(turns > 2, `${turns} turns of the event loop`)
    assert.equal(room.entries, 100_001)
    assert.equal(tier.get('2')?.projectId, 'even')
    assert.equal(room.bytes, room.entries * 700 + lengths(200_000))
    assert.equal(await room.purge(() => true), 100_001)
    assert.equal(room.bytes, 0)
  })

  it('keeps several kinds apart', async () => {
    const room = new MemoryRoom(MIB)
    const [plain, other] = [tierIn(room), tierIn(room, 'other:')]
    plain.set('a', thing(10))
    other.set('a', thing(20))
    assert.deepEqual([plain.get('a')?.bytes, other.get('a')?.bytes], [10, 20])
    assert.equal(room.bytes, 10 + 1 + 20 + 7)
    assert.equal(plain.delete('a'), true)
    assert.equal(other.get('a')?.bytes, 20)
  })
})

/** Of the keys that are left of as many: those of odd numbers, and 2. */
function lengths(numbers: number): number {
  let sum = 1
  for (let i = 1; i < numbers; i += 2) sum += String(i).length
  return sum
}
