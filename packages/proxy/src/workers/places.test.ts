/** Both sides of dealing out places, with messages between them that take their time. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

import { DEFAULT_BREAKER } from '@millrace/shared'

import { WaitingRoom } from '../concurrency/waiting-room.ts'
import { ProviderHealth } from '../health/provider-health.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { PlaceBook } from './place-book.ts'
import { PlaceShares } from './place-shares.ts'

const deadlines = new Deadlines()
after(() => deadlines.stop())

const FAR = 60_000

class Proxy {
  /** Messages on their way. */
  private wire: (() => void)[] = []
  readonly book = new PlaceBook((number, given) => this.send(() => this.workers.get(number)?.shares.hear(given)))
  readonly workers = new Map<number, Worker>()
  private numbers = 0
  inFlight = 0
  most = 0
  congested = false

  add(limit: number | null): Worker {
    const worker = new Worker(this, ++this.numbers, limit)
    this.workers.set(worker.number, worker)
    return worker
  }

  kill(worker: Worker): void {
    this.workers.delete(worker.number)
    this.inFlight -= worker.provider.inFlight
    this.book.gone(worker.number)
  }

  send(message: () => void): void {
    this.wire.push(message)
  }

  /** Lets messages arrive, in their order, until none are left. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await turn()
      if (this.wire.length > 0) quiet = 0
      const { wire } = this
      this.wire = []
      for (const message of wire) message()
      await turn()
    }
  }

  began(): void {
    this.inFlight++
    this.most = Math.max(this.most, this.inFlight)
  }
}

class Worker {
  readonly number: number
  readonly shares: PlaceShares
  readonly room = new WaitingRoom(deadlines)
  readonly provider: ProviderHealth
  private readonly proxy: Proxy

  constructor(proxy: Proxy, number: number, limit: number | null) {
    this.proxy = proxy
    this.number = number
    this.shares = new PlaceShares(
      (wanted) => proxy.send(() => proxy.workers.has(number) && proxy.book.hear(number, wanted)),
      deadlines,
      () => proxy.congested,
    )
    this.provider = new ProviderHealth(
      settings(limit),
      () => {},
      (freed) => this.room.freed(freed),
      this.shares,
    )
  }

  limit(limit: number | null): void {
    this.provider.configure(settings(limit))
    if (!this.provider.full) this.room.freed(this.provider)
  }

  /** As a request does: waits for a place. @returns whether it got one */
  async wait(): Promise<boolean> {
    if (!this.provider.full) {
      this.take()
      return true
    }
    const waiter = this.room.enter('token', [this.provider], performance.now() + FAR)!
    const got = await waiter.turn
    if (got !== null) this.proxy.began()
    return got !== null
  }

  /** As a request does that could go elsewhere. @returns whether it got a place */
  async look(): Promise<boolean> {
    if (this.provider.full) await this.provider.lookForPlace()
    if (this.provider.full) return false
    this.take()
    return true
  }

  take(): void {
    this.provider.take()
    this.proxy.began()
  }

  release(): void {
    this.proxy.inFlight--
    this.provider.release()
  }
}

function settings(maxConcurrency: number | null) {
  return {
    id: 'p',
    name: 'p',
    breaker: DEFAULT_BREAKER,
    forcedBreaker: null,
    breakerSetAt: null,
    maxConcurrency,
  }
}

describe('places over workers', () => {
  for (const limit of [1, 2, 5]) {
    it(`are ${limit} at most, and all who wait are served`, async () => {
      const proxy = new Proxy()
      const workers = [proxy.add(limit), proxy.add(limit), proxy.add(limit)]
      let served = 0
      const requests = Array.from({ length: 90 }, async (_, i) => {
        const worker = workers[i % 7 === 0 ? 0 : i % 3]!
        assert.ok(await worker.wait())
        for (let n = 0; n <= i % 4; n++) await turn()
        worker.release()
        served++
      })
      for (let n = 0; n < 5_000 && served < requests.length; n++) await proxy.settle()
      await Promise.all(requests)
      assert.equal(proxy.most, limit)
      assert.equal(proxy.inFlight, 0)
    })
  }

  it('are looked for in other workers before a request goes elsewhere', async () => {
    const proxy = new Proxy()
    const [a, b, c] = [proxy.add(2), proxy.add(2), proxy.add(2)]
    const look = async (worker: Worker): Promise<boolean> => {
      const got = worker.look()
      await proxy.settle()
      return got
    }
    assert.ok(await look(a))
    assert.ok(await look(b))
    assert.equal(await look(c), false, 'both are in use')
    a.release()
    await proxy.settle()
    assert.ok(await look(c), "a's is idle now")
    b.release()
    assert.ok(await look(b), 'its own is at hand')
    b.release()
    c.release()
    await proxy.settle()
    const both = [a.look(), a.look()]
    await proxy.settle()
    assert.deepEqual(await Promise.all(both), [true, true], 'all idle ones may go to one')
    assert.equal(proxy.most, 2)
  })

  it('are had without asking anybody while they last', async () => {
    const proxy = new Proxy()
    const [a] = [proxy.add(3), proxy.add(3)]
    for (let i = 0; i < 3; i++) {
      const got = a.look()
      await proxy.settle()
      assert.ok(await got)
    }
    for (let i = 0; i < 3; i++) a.release()
    for (let i = 0; i < 3; i++) {
      assert.equal(a.provider.full, false)
      a.take()
    }
  })

  it('of a worker that is gone go to the others', async () => {
    const proxy = new Proxy()
    const [a, b] = [proxy.add(1), proxy.add(1)]
    const first = a.wait()
    await proxy.settle()
    assert.ok(await first)
    const waits = b.wait()
    await proxy.settle()
    assert.equal(proxy.inFlight, 1)
    proxy.kill(a)
    await proxy.settle()
    assert.ok(await waits)
    assert.equal(proxy.most, 1)
  })

  it('follow a limit that is raised, lowered, lifted and set', async () => {
    const proxy = new Proxy()
    const workers = [proxy.add(1), proxy.add(1)]
    const limit = async (to: number | null): Promise<void> => {
      for (const worker of workers) worker.limit(to)
      await proxy.settle()
    }
    const held = (): number => workers.reduce((sum, { provider }) => sum + (provider.full ? 0 : 1), 0)
    const waits = [...workers, ...workers].map((worker) => worker.wait())
    await proxy.settle()
    assert.equal(proxy.inFlight, 1)
    await limit(3)
    assert.equal(proxy.inFlight, 3)
    await limit(1)
    const before = proxy.inFlight
    const busy = workers.flatMap((worker) => Array.from({ length: worker.provider.inFlight }, () => worker))
    for (const worker of busy.slice(0, before - 1)) {
      worker.release()
      await proxy.settle()
    }
    assert.equal(proxy.inFlight, 1, 'the fourth waits for the last of them')
    busy.at(-1)!.release()
    await proxy.settle()
    assert.equal(proxy.inFlight, 1)
    await Promise.all(waits)

    await limit(null)
    for (const worker of workers) for (let i = 0; i < 4; i++) worker.take()
    assert.equal(proxy.inFlight, 9)
    await limit(8)
    assert.equal(held(), 0, 'what is under way counts')
    for (const worker of workers) worker.release()
    await proxy.settle()
    const got = workers.map((worker) => worker.look())
    await proxy.settle()
    assert.equal((await Promise.all(got)).filter(Boolean).length, 1)
    assert.equal(proxy.inFlight, 8)
  })

  it('stay exact however things come about', async () => {
    const proxy = new Proxy()
    const limit = 4
    let workers = Array.from({ length: 4 }, () => proxy.add(limit))
    const busy: Worker[] = []
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let step = 0; step < 3_000; step++) {
      const worker = workers[random(workers.length)]!
      const what = random(10)
      if (what < 3) void worker.look().then((got) => got && busy.push(worker))
      else if (what < 6) void worker.wait().then((got) => got && busy.push(worker))
      else if (what < 9 && busy.length > 0) {
        const [one] = busy.splice(random(busy.length), 1)
        if (workers.includes(one!)) one!.release()
      } else if (step % 100 === 0) {
        proxy.kill(worker)
        workers = workers.map((one) => (one === worker ? proxy.add(limit) : one))
      }
      if (random(3) === 0) await proxy.settle()
      assert.ok(proxy.inFlight <= limit, `${proxy.inFlight} at once in step ${step}`)
    }
    for (let n = 0; n < 5_000; n++) {
      await proxy.settle()
      const one = busy.pop()
      if (one === undefined) break
      if (workers.includes(one)) one.release()
    }
    await proxy.settle()
    assert.equal(proxy.inFlight, 0)
    assert.ok(
      workers.every(({ room }) => room.size === 0),
      'nobody waits',
    )
  })
})
