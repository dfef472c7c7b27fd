import { setTimeout as delay } from 'node:timers/promises'

import { SNAPSHOTS_SUBSCRIPTION, type SnapshotEvent } from '@millrace/shared'
import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'
import type { ControlClient, ControlConnection } from '../control/client.ts'
import type { Follows } from '../control/follows.ts'
import type { Configuration, Taken } from './configuration.ts'

const FIRST_EVENT_MS = 10_000

/** What else goes with a connection to the control plane. */
export interface AlsoFollowed {
  /** Called after each snapshot, so that the revision in use is reported at once. */
  taken(): void
  readonly connected: readonly Follows[]
}

/** Why a subscription ended. */
interface End {
  readonly reason: string
  /** Whether what came cannot be used: the log has it already. */
  readonly refused: boolean
}

/** Follows the control plane's snapshots for as long as the process lives, through its restarts and the network's. */
export class SnapshotSubscription {
  private readonly control: ControlClient
  private readonly configuration: Configuration
  private readonly log: Logger
  private readonly also: AlsoFollowed
  private readonly stopping = new AbortController()
  private readonly lost = new Backoff(250, 4_000)
  /** A snapshot that can't be used is sent whole each time. */
  private readonly refusals = new Backoff(250, 30_000)
  /** Whether the log has said that there is no connection. */
  private silent = false
  /** Whether the next transfer must be whole: the last one was refused. */
  private anew = false
  private client: ControlConnection | null = null

  constructor(control: ControlClient, configuration: Configuration, log: Logger, also: AlsoFollowed) {
    this.control = control
    this.configuration = configuration
    this.log = log
    this.also = also
  }

  /** Returns when {@link stop} was called. */
  async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      const { reason, refused } = await this.follow()
      if (signal.aborted) break
      if (!refused) this.warn(reason)
      await delay((refused ? this.refusals : this.lost).next(), undefined, { signal }).catch(() => {})
    }
  }

  stop(): void {
    this.stopping.abort()
    this.client?.terminate()
  }

  /** Once for each time that the connection is lost, however many attempts it takes. */
  private warn(reason: string): void {
    if (!this.silent) this.log.warn(`no connection to the control plane, serving on and trying again: ${reason}`)
    this.silent = true
  }

  /** One connection, until it ends. */
  private async follow(): Promise<End> {
    const client = this.control.connect(() => this.configuration.heard())
    this.client = client
    for (const each of this.also.connected) each.follow(client)
    try {
      let end: End | null = null
      while (end === null) end = await this.subscribe(client)
      return end
    } finally {
      this.configuration.lost()
      client.terminate()
    }
  }

  /** One subscription, until it ends, or a whole snapshot is wanted: null. */
  private async subscribe(client: ControlConnection): Promise<End | null> {
    // The first part comes at once: a control plane that keeps it to itself is as good as none.
    const overdue = setTimeout(() => client.terminate(), FIRST_EVENT_MS)
    try {
      for await (const { data, errors } of client.iterate<{ snapshots: SnapshotEvent }>({
        query: SNAPSHOTS_SUBSCRIPTION,
        variables: { after: this.anew ? null : this.configuration.position },
      })) {
        if (errors || !data) return lostBy(errors?.[0]?.message ?? 'no data')
        clearTimeout(overdue)
        this.lost.reset()
        this.silent = false
        const taken = await this.take(client, data.snapshots.document)
        if (taken === 'incomplete') continue
        this.anew = taken === 'refused'
        if (taken === 'refused') return { reason: 'its snapshot is refused', refused: true }
        this.refusals.reset()
        this.also.taken()
        if (this.configuration.wantsWhole) return null
      }
      return lostBy('the control plane ended the subscription')
    } catch (error) {
      return lostBy(reasonOf(error))
    } finally {
      clearTimeout(overdue)
    }
  }

  /** One part at a time: those that follow wait where they come from, not in memory. */
  private async take(client: ControlConnection, document: unknown): Promise<Taken> {
    client.pause()
    try {
      return await this.configuration.take(document)
    } finally {
      client.resume()
    }
  }
}

function lostBy(reason: string): End {
  return { reason, refused: false }
}

/** graphql-ws ends with a WebSocket's close event, a list of GraphQL errors, or an error. */
function reasonOf(error: unknown): string {
  const first: unknown = Array.isArray(error) ? error[0] : error
  if (typeof first !== 'object' || first === null) return 'connection lost'
  const { code, reason, message } = first as { code?: unknown; reason?: unknown; message?: unknown }
  if (typeof code === 'number') return typeof reason === 'string' && reason ? `${code} ${reason}` : `closed (${code})`
  return typeof message === 'string' && message ? message : 'connection lost'
}
