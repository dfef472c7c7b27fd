import { LIVE_WANTED_SUBSCRIPTION } from '@millrace/shared'
import type { Client } from 'graphql-ws'

import type { LiveEvents } from '../live/live-events.ts'
import type { Follows } from './follows.ts'

/** Learns whether anybody wants to hear of requests while they are served. Without a connection nobody does. */
export class LiveWanted implements Follows {
  private readonly live: Pick<LiveEvents, 'wanted'>
  private followed: Client | null = null

  constructor(live: Pick<LiveEvents, 'wanted'>) {
    this.live = live
  }

  follow(client: Client): void {
    const { live } = this
    const over = (): void => {
      if (this.followed === client) live.wanted = false
    }
    this.followed = client
    client.subscribe<{ liveWanted: boolean }>(
      { query: LIVE_WANTED_SUBSCRIPTION },
      {
        next: ({ data }) => {
          if (this.followed === client) live.wanted = data?.liveWanted === true
        },
        error: over,
        complete: over,
      },
    )
  }
}
