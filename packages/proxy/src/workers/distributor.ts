/** The port of a proxy of several workers: connections are let in here and handed over, to each worker in turn. */
import type { ChildProcess } from 'node:child_process'
import { createServer, type Socket } from 'node:net'

import type { Settings } from '@millrace/shared'

import { listen } from '../address.ts'

/** Connections that wait for a worker; more are turned away. */
const MOST_WAITING = 1_024
/** Connections on their way to one worker. One that takes none of them is passed over. */
const MOST_ON_THEIR_WAY = 64

/** A worker that can be given connections. */
interface Taker {
  readonly child: ChildProcess
  /** Those that it has not taken yet, by their numbers: should it end, another gets them. */
  readonly onTheirWay: Map<number, Socket>
}

/**
 * Not node:cluster: that closes the port when its last worker ends, and loses the connections that were on their way to a
 * worker that was killed.
 */
export class Distributor {
  // Nothing is read here: what the client has sent is there for whoever takes its connection.
  private readonly server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    socket.on('error', ignore)
    this.give(socket)
  })
  /** In the order of their turns. */
  private readonly takers: Taker[] = []
  /** Those that are given no more, and have not ended. */
  private readonly leaving: Taker[] = []
  private waiting: Socket[] = []
  private count = 0
  private closed = false

  /** @throws SettingsError if the port can't be listened at */
  open(settings: Settings): Promise<string> {
    return listen(this.server, settings)
  }

  close(): void {
    this.closed = true
    this.server.close()
    for (const socket of this.waiting) socket.destroy()
    this.waiting = []
  }

  add(child: ChildProcess): void {
    this.takers.push({ child, onTheirWay: new Map() })
    this.giveWaiting()
  }

  /** It is given no more. What is on its way it takes, or {@link declined declines}: two must never read from one connection. */
  leave(child: ChildProcess): void {
    const place = this.takers.findIndex((taker) => taker.child === child)
    if (place >= 0) this.leaving.push(...this.takers.splice(place, 1))
  }

  /** It has ended. */
  remove(child: ChildProcess): void {
    this.leave(child)
    const place = this.leaving.findIndex((taker) => taker.child === child)
    if (place < 0) return
    const [taker] = this.leaving.splice(place, 1)
    for (const socket of taker!.onTheirWay.values()) this.give(socket)
  }

  /** A worker has taken a connection. */
  taken(child: ChildProcess, number: number): void {
    // The worker has a handle of its own: this closes ours, not the connection.
    this.arrived(child, number)?.destroy()
    this.giveWaiting()
  }

  /** A worker has read nothing from a connection, and closed its handle: another gets it. */
  declined(child: ChildProcess, number: number): void {
    const socket = this.arrived(child, number)
    if (socket !== undefined) this.give(socket)
  }

  private arrived(child: ChildProcess, number: number): Socket | undefined {
    const all = [...this.takers, ...this.leaving]
    const onTheirWay = all.find((taker) => taker.child === child)?.onTheirWay
    const socket = onTheirWay?.get(number)
    onTheirWay?.delete(number)
    return socket
  }

  private give(socket: Socket): void {
    const place = this.takers.findIndex(hasRoom)
    if (place < 0 || this.closed) {
      if (!this.closed && this.waiting.length < MOST_WAITING) this.waiting.push(socket)
      else socket.destroy()
      return
    }
    const [taker] = this.takers.splice(place, 1)
    this.takers.push(taker!)
    const number = ++this.count
    taker!.onTheirWay.set(number, socket)
    // Fails only where the worker has ended: then it is removed, and another gets the connection.
    taker!.child.send(number, socket, { keepOpen: true }, ignore)
  }

  private giveWaiting(): void {
    while (this.waiting.length > 0 && this.takers.some(hasRoom)) this.give(this.waiting.shift()!)
  }
}

function hasRoom({ onTheirWay }: Taker): boolean {
  return onTheirWay.size < MOST_ON_THEIR_WAY
}

function ignore(): void {}
