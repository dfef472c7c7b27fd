import type { PlaceShare, PlaceSource } from '../health/places.ts'
import type { Deadlines, Timed } from '../upstream/deadlines.ts'
import type { PlacesGiven, PlacesWanted } from './protocol.ts'

/** A request looks for places elsewhere for no longer than this: then it goes by what is known here. */
const LOOK_MS = 1_000
/** The primary is told so much later where it has not heard yet what it was told before. */
const HOLD_MS = 100

/** What a worker holds of providers' places; see PlaceBook, its other side. */
export class PlaceShares implements PlaceSource {
  private readonly shares = new Map<string, Share>()
  private readonly tell: (wanted: PlacesWanted) => void
  private readonly deadlines: Deadlines
  private readonly congested: () => boolean
  private changed: Share[] = []
  private epochs = 0

  /** @param congested whether it is better not to tell anything now */
  constructor(tell: (wanted: PlacesWanted) => void, deadlines: Deadlines, congested: () => boolean) {
    this.tell = tell
    this.deadlines = deadlines
    this.congested = congested
  }

  shareOf(providerId: string, inFlight: () => number, onGranted: () => void): PlaceShare {
    const share = new Share(this, providerId, inFlight, onGranted)
    this.shares.set(providerId, share)
    return share
  }

  hear(given: PlacesGiven): void {
    this.shares.get(given.providerId)?.take(given)
  }

  /** @internal */
  look(share: Share, asked: number): Look {
    const look = new Look(share, asked, performance.now() + LOOK_MS)
    this.deadlines.add(look)
    return look
  }

  /** @internal */
  found(look: Look): void {
    this.deadlines.remove(look)
  }

  /** @internal Told in a moment, with all that has changed by then: a granted place is first offered to those who looked for it. */
  note(share: Share): void {
    if (share.noted) return
    share.noted = true
    if (this.changed.push(share) === 1) setImmediate(tellChanges, this)
  }

  /** @internal */
  tellChanges(): void {
    if (this.congested()) {
      setTimeout(tellChanges, HOLD_MS, this).unref()
      return
    }
    const { changed } = this
    this.changed = []
    for (const share of changed) this.tell(share.news())
  }

  /** @internal */
  nextEpoch(): number {
    return ++this.epochs
  }

  /** @internal */
  drop(providerId: string, share: Share): void {
    if (this.shares.get(providerId) === share) this.shares.delete(providerId)
  }
}

class Share implements PlaceShare {
  held = Infinity
  noted = false
  private readonly shares: PlaceShares
  private readonly providerId: string
  private readonly inFlight: () => number
  private readonly onGranted: () => void
  private most: number | null = null
  private epoch = 0
  private owed = 0
  private waiters = 0
  private looks: Look[] = []
  private adopted = 0
  private back = 0
  private granted = 0
  private heard = 0
  private asked = 0
  /** Whether the last question has been put. */
  private put = true

  constructor(shares: PlaceShares, providerId: string, inFlight: () => number, onGranted: () => void) {
    this.shares = shares
    this.providerId = providerId
    this.inFlight = inFlight
    this.onGranted = onGranted
  }

  limit(limit: number | null, inFlight: number): void {
    if (limit === this.most) return
    if (limit === null) {
      this.held = Infinity
      this.owed = 0
      this.end(Infinity)
    } else if (this.most === null) {
      this.epoch = this.shares.nextEpoch()
      this.held = inFlight
      this.adopted = inFlight
      this.back = 0
      this.granted = 0
      this.heard = 0
    }
    this.most = limit
    this.shares.note(this)
  }

  released(): boolean {
    if (this.owed === 0) return false
    this.giveBack(1)
    this.shares.note(this)
    return true
  }

  waiting(change: 1 | -1): void {
    this.waiters += change
    if (this.most !== null) this.shares.note(this)
  }

  ask(): Promise<void> | null {
    if (this.most === null || this.held >= this.most) return null
    if (this.put) {
      this.asked++
      this.put = false
    }
    const look = this.shares.look(this, this.asked)
    this.looks.push(look)
    this.shares.note(this)
    return look.over
  }

  forget(): void {
    this.limit(null, 0)
    this.shares.drop(this.providerId, this)
  }

  take({ epoch, granted, recalled, answered }: PlacesGiven): void {
    if (this.most === null || epoch !== this.epoch) return
    this.held += granted
    this.granted += granted
    if (recalled > 0) {
      this.owed += recalled
      this.heard++
    }
    if (granted > 0) this.onGranted()
    this.end(answered)
    this.shares.note(this)
  }

  /** A look's time is over. */
  giveUp(look: Look): void {
    this.looks.splice(this.looks.indexOf(look), 1)
    this.finish(look)
    this.shares.note(this)
  }

  /** What the primary is told now. */
  news(): PlacesWanted {
    this.noted = false
    this.put = true
    if (this.owed > 0) this.giveBack(Math.min(this.owed, this.idle()))
    const { providerId, epoch, most, adopted, back, granted, heard, asked } = this
    this.adopted = 0
    this.back = 0
    const wanted = Math.max(0, this.waiters + this.looks.length - this.idle())
    return { providerId, epoch, limit: most, wanted, back, adopted, granted, heard, asked }
  }

  private idle(): number {
    return Math.max(0, this.held - this.inFlight())
  }

  private giveBack(count: number): void {
    this.owed -= count
    this.held -= count
    this.back += count
  }

  private end(answered: number): void {
    while (this.looks.length > 0 && this.looks[0]!.asked <= answered) this.finish(this.looks.shift()!)
  }

  private finish(look: Look): void {
    this.shares.found(look)
    look.end()
  }
}

/** One request that looks for a place in the other workers. */
class Look implements Timed {
  slot = -1
  readonly over: Promise<void>
  readonly asked: number
  readonly end: () => void
  private readonly share: Share
  private readonly until: number

  constructor(share: Share, asked: number, until: number) {
    this.share = share
    this.asked = asked
    this.until = until
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.end = resolve
  }

  check(now: number): void {
    if (now >= this.until) this.share.giveUp(this)
  }
}

function tellChanges(shares: PlaceShares): void {
  shares.tellChanges()
}
