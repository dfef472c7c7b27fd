/** One process of several that are one proxy: what it has of the others, it has through their primary. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

import type { ProxyIdentity } from '@millrace/shared'

import type { Hint, HintBus } from '../health/breaker-hints.ts'
import type { PlaceSource } from '../health/places.ts'
import type { LocalLimits } from '../limits/store.ts'
import type { Member, Membership } from '../membership.ts'
import { mergeReadiness, type ProxyReadiness } from '../readiness.ts'
import type { LocalBindings } from '../sticky/store.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import { Channel, ChannelError, type Listener } from './channel.ts'
import type { ToPrimary } from './link.ts'
import { PlaceShares } from './place-shares.ts'
import type { PrimaryNews, PrimaryQuestions, Welcome } from './protocol.ts'
import { SharedBindings } from './shared-bindings.ts'
import { SharedLimits } from './shared-limits.ts'

/** The primary asks all workers, and gives them less time than this. */
const DEADLINE_MS = 3_000

/** The channel to the primary, and what comes on it before there is a service. */
export class PrimaryLink {
  readonly channel: ToPrimary
  readonly welcome: Promise<Welcome>
  readonly places: PlaceShares
  member: Member | null = null
  /** Whether the whole proxy is to end. */
  allStop = false
  /** Resolves when this process may end, or the primary is gone. */
  readonly over: Promise<void>
  private readonly end: () => void
  private hinted: ((hint: Hint) => void) | null = null

  /** @param onStop called when this process is to end in good order */
  constructor(deadlines: Deadlines, onStop: () => void) {
    const { promise, resolve } = Promise.withResolvers<Welcome>()
    this.welcome = promise
    const over = Promise.withResolvers<void>()
    this.over = over.promise
    this.end = over.resolve
    const listener: Listener<PrimaryQuestions, PrimaryNews> = {
      answers: {
        report: () => this.joined().report(),
        readiness: () => this.joined().readiness(),
        metrics: () => this.joined().metrics(),
      },
      hears: {
        welcome: resolve,
        places: (given) => this.places.hear(given),
        hint: (hint) => this.hinted?.(hint),
        stop: () => {
          this.allStop = true
          onStop()
        },
        end: this.end,
      },
    }
    this.channel = new Channel(process, deadlines, listener)
    this.places = new PlaceShares(
      (wanted) => this.channel.tell('places', wanted),
      deadlines,
      () => this.channel.congested,
    )
  }

  /** The primary is gone. */
  lost(): void {
    this.channel.close()
    this.end()
  }

  hear(listener: (hint: Hint) => void): void {
    this.hinted = listener
  }

  private joined(): Member {
    if (this.member === null) throw new Error('it is still starting')
    return this.member
  }
}

export class WorkerMembership implements Membership {
  readonly identity: ProxyIdentity
  readonly workers: number
  readonly limits: LocalLimits
  readonly bindings: LocalBindings
  readonly places: PlaceSource
  readonly hints: HintBus
  readonly writesSnapshot: boolean
  private readonly link: PrimaryLink
  private readonly channel: ToPrimary
  private readonly url: string
  private leaving = false

  constructor({ identity, index, url }: Welcome, workers: number, link: PrimaryLink) {
    const { channel } = link
    this.identity = identity
    this.workers = workers
    this.link = link
    this.channel = channel
    this.url = url
    this.writesSnapshot = index === 0
    this.limits = new SharedLimits(channel)
    this.bindings = new SharedBindings(channel)
    this.places = link.places
    this.hints = {
      tell: (hint) => channel.mention('hint', hint),
      listen: (listener) => link.hear(listener),
    }
  }

  /** The primary has the port, and hands connections over. */
  async open(server: Server): Promise<string> {
    // Node begins to watch over the time that requests' headers take when a server listens.
    server.emit('listening')
    process.on('message', (message, socket) => {
      if (typeof message !== 'number') return
      // The others serve on: one of them is to have it.
      const declines = this.leaving && !this.link.allStop
      // At once, and before the first byte is read: a connection that has not been taken goes to another worker.
      process.send!(declines ? -message : message, undefined, undefined, ignore)
      if (declines) (socket as Socket | undefined)?.destroy()
      else if (socket) server.emit('connection', socket as Socket)
    })
    this.channel.tell('ready', null)
    return this.url
  }

  join(member: Member): void {
    this.link.member = member
  }

  report(): void {
    this.channel.mention('changed', null)
  }

  async readiness(): Promise<ProxyReadiness> {
    try {
      return await this.channel.ask('readiness', null, DEADLINE_MS)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      const own = mergeReadiness(this.link.member === null ? [] : [this.link.member.readiness()], this.workers)
      return { ...own, problem: 'the primary does not answer' }
    }
  }

  metrics(): Promise<string> {
    return this.channel.ask('metrics', null, DEADLINE_MS)
  }

  async drain(until: Promise<void>): Promise<void> {
    this.leaving = true
    this.channel.tell('draining', null)
    await until
    this.channel.tell('drained', null)
    await this.link.over
  }

  leave(): void {}

  close(): Promise<void> {
    return this.channel.flushed()
  }
}

function ignore(): void {}
