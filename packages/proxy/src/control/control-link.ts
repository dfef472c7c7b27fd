import type { Client } from 'graphql-ws'

import type { Follows } from './follows.ts'

/** Whether the control plane is there: it has let this process in, and nothing has ended the connection since. */
export interface ControlState {
  readonly state: 'connected' | 'away'
  /** RFC 3339, in UTC. */
  readonly since: string
}

/** Watches the connection for those who ask. */
export class ControlLink implements Follows {
  current: ControlState = stateSince('away')
  private client: Client | null = null

  follow(client: Client): void {
    this.client = client
    client.on('connected', () => this.change(client, 'connected'))
    client.on('closed', () => this.change(client, 'away'))
  }

  /** What becomes of a connection that another has followed is nobody's business. */
  private change(client: Client, state: ControlState['state']): void {
    if (client === this.client && state !== this.current.state) this.current = stateSince(state)
  }
}

function stateSince(state: ControlState['state']): ControlState {
  return { state, since: new Date().toISOString() }
}
