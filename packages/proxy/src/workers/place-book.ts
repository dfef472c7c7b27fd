import type { PlacesGiven, PlacesWanted } from './protocol.ts'

/** What one worker has of a provider's places. */
interface Share {
  readonly worker: number
  readonly epoch: number
  held: number
  /** Those among them that it was asked to give back, as soon as they are idle. */
  owed: number
  wanted: number
  granted: number
  recalls: number
  heard: number
  asked: number
  answered: number
  /** What is to be said to it. */
  news: { granted: number; recalled: number } | null
}

/** The places of one provider. Together the workers never hold more than its limit, but while it is being lowered. */
class Pool {
  limit: number
  readonly shares = new Map<number, Share>()
  /** Workers that want more, in the order of their turns. */
  private readonly queue: Share[] = []

  constructor(limit: number) {
    this.limit = limit
  }

  take(worker: number, { epoch, wanted, back, adopted, granted, heard, asked }: PlacesWanted): void {
    const share = this.shareOf(worker, epoch)
    share.held += adopted - back
    share.owed = Math.max(0, share.owed - back)
    // What it was granted meanwhile it does not want once more.
    share.wanted = Math.max(0, wanted - (share.granted - granted))
    share.heard = heard
    share.asked = asked
    if (share.wanted > 0 && !this.queue.includes(share)) this.queue.push(share)
  }

  /** A worker is gone, or knows of no limit: its places are free. */
  remove(worker: number): void {
    const share = this.shares.get(worker)
    if (share === undefined) return
    this.shares.delete(worker)
    const place = this.queue.indexOf(share)
    if (place >= 0) this.queue.splice(place, 1)
  }

  /** Gives out what is free, one to each worker in turn, and asks for more of those who have some where others lack them. */
  serve(): void {
    let free = this.limit - sumOf(this.shares, heldOf)
    while (free > 0) {
      const share = this.queue.shift()
      if (share === undefined) break
      if (share.wanted === 0) continue
      free--
      share.wanted--
      share.held++
      share.granted++
      newsFor(share).granted++
      if (share.wanted > 0) this.queue.push(share)
    }
    const wanted = sumOf(this.shares, wantedOf)
    for (const share of this.shares.values()) {
      const due = Math.min(share.held, Math.max(wanted - share.wanted, -free))
      if (due <= share.owed) continue
      newsFor(share).recalled += due - share.owed
      share.owed = due
      share.recalls++
    }
    for (const share of this.shares.values()) {
      if (share.asked > share.answered && (share.wanted === 0 || this.othersHaveNone(share))) {
        share.answered = share.asked
        newsFor(share)
      }
    }
  }

  /** Whether no other worker can have an idle place: each has heard of a recall, and would have given it back. */
  private othersHaveNone(share: Share): boolean {
    for (const other of this.shares.values()) if (other !== share && other.heard < other.recalls) return false
    return true
  }

  private shareOf(worker: number, epoch: number): Share {
    let share = this.shares.get(worker)
    if (share?.epoch !== epoch) {
      this.remove(worker)
      share = {
        worker,
        epoch,
        held: 0,
        owed: 0,
        wanted: 0,
        granted: 0,
        recalls: 0,
        heard: 0,
        asked: 0,
        answered: 0,
        news: null,
      }
      this.shares.set(worker, share)
    }
    return share
  }
}

/**
 * Deals out the places of providers that take only so many requests at once. A worker keeps the places that it was given, and
 * needs to ask nobody for as long as they last; it gives back what it has idle, or as it becomes so, when another lacks some.
 */
export class PlaceBook {
  private readonly pools = new Map<string, Pool>()
  private readonly give: (worker: number, given: PlacesGiven) => void

  /** @param give tells a worker; workers are numbers that are never used again */
  constructor(give: (worker: number, given: PlacesGiven) => void) {
    this.give = give
  }

  hear(worker: number, wanted: PlacesWanted): void {
    const { providerId, limit } = wanted
    let pool = this.pools.get(providerId)
    if (limit === null) {
      if (pool !== undefined) this.remove(worker, providerId, pool)
      return
    }
    if (pool === undefined) {
      pool = new Pool(limit)
      this.pools.set(providerId, pool)
    }
    pool.limit = limit
    pool.take(worker, wanted)
    this.serve(providerId, pool)
  }

  gone(worker: number): void {
    for (const [providerId, pool] of this.pools) this.remove(worker, providerId, pool)
  }

  private remove(worker: number, providerId: string, pool: Pool): void {
    pool.remove(worker)
    if (pool.shares.size === 0) this.pools.delete(providerId)
    else this.serve(providerId, pool)
  }

  private serve(providerId: string, pool: Pool): void {
    pool.serve()
    for (const share of pool.shares.values()) {
      if (share.news === null) continue
      this.give(share.worker, { providerId, epoch: share.epoch, ...share.news, answered: share.answered })
      share.news = null
    }
  }
}

function newsFor(share: Share): { granted: number; recalled: number } {
  share.news ??= { granted: 0, recalled: 0 }
  return share.news
}

function heldOf({ held }: Share): number {
  return held
}

function wantedOf({ wanted }: Share): number {
  return wanted
}

function sumOf(shares: ReadonlyMap<number, Share>, of: (share: Share) => number): number {
  let sum = 0
  for (const share of shares.values()) sum += of(share)
  return sum
}
