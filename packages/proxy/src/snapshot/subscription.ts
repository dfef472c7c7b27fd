import { setTimeout as delay } from 'node:timers/promises'

import { SNAPSHOTS_SUBSCRIPTION, type SnapshotEvent } from '@millrace/shared'
import type { Client } from 'graphql-ws'
import type { Logger } from 'pino'

import { Backoff } from '../control/backoff.ts'
import type { ControlClient } from '../control/client.ts'
import type { Instructions } from '../control/instructions.ts'
import type { Configuration } from './configuration.ts'

const FIRST_EVENT_MS = 10_000

/** What else goes with a connection to the control plane. */
export interface AlsoFollowed {
  /** Called after each snapshot, so that the revision in use is reported at once. */
  taken(): void
  readonly connected: Pick<Instructions, 'follow'>
}

/** Follows the control plane's snapshots for as long as the process lives, through its restarts and the network's. */
export class SnapshotSubscription {
  private readonly control: ControlClient
  private readonly configuration: Configuration
  private readonly log: Logger
  private readonly also: AlsoFollowed
  private readonly stopping = new AbortController()
  private client: Client | null = null

  constructor(control: ControlClient, configuration: Configuration, log: Logger, also: AlsoFollowed) {
    this.control = control
    this.configuration = configuration
    this.log = log
    this.also = also
  }

  /** Returns when {@link stop} was called. */
  async run(): Promise<void> {
    const backoff = new Backoff(250, 4_000)
    let silent = false
    while (!this.stopping.signal.aborted) {
      const reason = await this.follow(backoff, () => {
        silent = false
      })
      if (this.stopping.signal.aborted) break
      if (!silent) this.log.warn(`no connection to the control plane, serving on and trying again: ${reason}`)
      silent = true
      await delay(backoff.next(), undefined, { signal: this.stopping.signal }).catch(() => {})
    }
  }

  stop(): void {
    this.stopping.abort()
    this.client?.terminate()
  }

  /** One connection, until it ends. @returns why it ended */
  private async follow(backoff: Backoff, onEvent: () => void): Promise<string> {
    const client = this.control.connect(() => this.configuration.heard())
    this.client = client
    // The first snapshot comes at once: a control plane that keeps it to itself is as good as none.
    const overdue = setTimeout(() => client.terminate(), FIRST_EVENT_MS)
    this.also.connected.follow(client)
    try {
      for await (const { data, errors } of client.iterate<{ snapshots: SnapshotEvent }>({
        query: SNAPSHOTS_SUBSCRIPTION,
      })) {
        if (errors || !data) return errors?.[0]?.message ?? 'no data'
        clearTimeout(overdue)
        backoff.reset()
        onEvent()
        await this.configuration.take(data.snapshots.document)
        this.also.taken()
      }
      return 'the control plane ended the subscription'
    } catch (error) {
      return reasonOf(error)
    } finally {
      clearTimeout(overdue)
      this.configuration.lost()
      client.terminate()
    }
  }
}

/** graphql-ws ends with a WebSocket's close event, a list of GraphQL errors, or an error. */
function reasonOf(error: unknown): string {
  const first: unknown = Array.isArray(error) ? error[0] : error
  if (typeof first !== 'object' || first === null) return 'connection lost'
  const { code, reason, message } = first as { code?: unknown; reason?: unknown; message?: unknown }
  if (typeof code === 'number') return typeof reason === 'string' && reason ? `${code} ${reason}` : `closed (${code})`
  return typeof message === 'string' && message ? message : 'connection lost'
}
