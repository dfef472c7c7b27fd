/** Who may read control's metrics: this machine, and whoever has a key that reads. */
import type { IncomingMessage } from 'node:http'

import { digest, isLoopback, parseIp } from '@millrace/shared'

import { isRefusal, type ReaderDoor, type Refusal } from '../access/reader.ts'
import type { Origin } from '../graphql/context.ts'

const MOST_KNOWN = 256

export class MetricsAccess {
  readonly #reader: ReaderDoor
  /** Digests of what came with a key that reads, the longest known first. */
  readonly #known = new Set<string>()

  constructor(reader: ReaderDoor) {
    this.#reader = reader
  }

  /**
   * While the database is away, when metrics are wanted most, a key is good that was so the last time.
   * @returns null: it may be read
   */
  async refusal(request: IncomingMessage): Promise<Refusal | null> {
    const origin = this.#reader.originOf(request)
    if (isLoopback(addressOf(origin))) return null
    const given = digest(request.headers.authorization ?? '')
    const entered = await this.#reader.enter(request, origin, 'Metrics.read')
    if (!isRefusal(entered)) this.#remember(given)
    else if (entered.status === 503) return this.#known.has(given) ? null : entered
    else this.#known.delete(given)
    return isRefusal(entered) ? entered : null
  }

  #remember(given: string): void {
    this.#known.delete(given)
    this.#known.add(given)
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.values().next().value!)
  }
}

function addressOf({ clientIp }: Origin) {
  return clientIp === null ? null : parseIp(clientIp)
}
