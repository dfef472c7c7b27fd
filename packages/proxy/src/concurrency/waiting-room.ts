import type { ProviderHealth } from '../health/provider-health.ts'
import type { Deadlines, Timed } from '../upstream/deadlines.ts'

/** Requests that may wait at once, in all processes of a proxy; and of one token, so that none can take all the room. */
const MOST = 1_024
const MOST_OF_ONE = 256

/**
 * Where requests wait for a place at a provider that is full. A place is handed to one of them, not thrown among all, and
 * turns go round among tokens: one with many requests does not keep out another with few.
 */
export class WaitingRoom {
  private readonly deadlines: Deadlines
  private readonly most: number
  private readonly mostOfOne: number
  /** By token, in the order of their turns. */
  private readonly queues = new Map<string, Waiter[]>()
  private count = 0

  /** @param workers processes that the proxy has */
  constructor(deadlines: Deadlines, workers = 1) {
    this.deadlines = deadlines
    this.most = Math.ceil(MOST / workers)
    this.mostOfOne = Math.ceil(MOST_OF_ONE / workers)
  }

  get size(): number {
    return this.count
  }

  /**
   * Waits for a place at one of these providers.
   * @param until as `performance.now()`
   * @returns null if there is no room to wait in
   */
  enter(tokenId: string, providers: readonly ProviderHealth[], until: number): Waiter | null {
    const queue = this.queues.get(tokenId) ?? []
    if (this.count >= this.most || queue.length >= this.mostOfOne) return null
    const waiter = new Waiter(this, tokenId, providers, until)
    queue.push(waiter)
    this.queues.set(tokenId, queue)
    this.count++
    this.deadlines.add(waiter)
    for (const provider of providers) provider.waiting(1)
    return waiter
  }

  /** A provider may take more: hands its places to those who wait for it. */
  freed(provider: ProviderHealth): void {
    while (this.count > 0 && !provider.full) {
      const waiter = this.nextFor(provider)
      if (waiter === null) return
      provider.take()
      this.leave(waiter)
      this.toTheEnd(waiter.tokenId)
      waiter.resolve(provider)
    }
  }

  /** @internal */
  leave(waiter: Waiter): void {
    const queue = this.queues.get(waiter.tokenId)!
    queue.splice(queue.indexOf(waiter), 1)
    if (queue.length === 0) this.queues.delete(waiter.tokenId)
    this.count--
    this.deadlines.remove(waiter)
    for (const provider of waiter.providers) provider.waiting(-1)
  }

  private nextFor(provider: ProviderHealth): Waiter | null {
    for (const queue of this.queues.values()) {
      for (const waiter of queue) if (waiter.providers.includes(provider)) return waiter
    }
    return null
  }

  private toTheEnd(tokenId: string): void {
    const queue = this.queues.get(tokenId)
    if (queue === undefined) return
    this.queues.delete(tokenId)
    this.queues.set(tokenId, queue)
  }
}

export class Waiter implements Timed {
  slot = -1
  /** Resolves with the provider at which a place was taken for this request, to be given back; null if the time was over. */
  readonly turn: Promise<ProviderHealth | null>
  /** @internal */
  readonly resolve: (provider: ProviderHealth | null) => void
  readonly tokenId: string
  readonly providers: readonly ProviderHealth[]
  private readonly room: WaitingRoom
  private readonly until: number

  constructor(room: WaitingRoom, tokenId: string, providers: readonly ProviderHealth[], until: number) {
    this.room = room
    this.tokenId = tokenId
    this.providers = providers
    this.until = until
    const { promise, resolve } = Promise.withResolvers<ProviderHealth | null>()
    this.turn = promise
    this.resolve = resolve
  }

  check(now: number): void {
    if (now >= this.until) this.giveUp()
  }

  /** Does nothing once it has had its turn. */
  giveUp(): void {
    if (this.slot < 0) return
    this.room.leave(this)
    this.resolve(null)
  }
}
