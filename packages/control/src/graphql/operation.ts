/** One operation's surroundings, made the same way for HTTP and for WebSocket. */
import { ipText, newId, type IpKey } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Viewer } from '../access/authenticate.ts'
import type { Database } from '../db/database.ts'
import type { Services } from '../services.ts'
import { Context, type Origin } from './context.ts'
import { createLoaders, forget, type Loaders } from './loaders.ts'

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/

export class ContextFactory {
  readonly #services: Services
  readonly #loaders: Loaders
  readonly #feedLoaders: Loaders
  readonly #log: Logger

  constructor(database: Database, services: Services, log: Logger) {
    this.#services = services
    this.#loaders = createLoaders(database, services.spending, false)
    // A busy feed names the same few rows thousands of times a second, and they change with a revision only.
    this.#feedLoaders = createLoaders(database, services.spending, true)
    services.snapshots.onPublished(() => forget(this.#feedLoaders))
    this.#log = log
  }

  /** For a query or a mutation: it sees what is there now. */
  make(origin: Origin, viewer: Viewer | null): Context {
    return new Context(this.#services, this.#loaders, this.#log, origin, viewer)
  }

  /** For a subscription: it sees what was there at the newest revision that this process has heard of. */
  makeForFeed(origin: Origin, viewer: Viewer | null): Context {
    return new Context(this.#services, this.#feedLoaders, this.#log, origin, viewer)
  }
}

/**
 * @param requestId the client's own, kept if it can be
 * @param client by {@link clientIp}
 */
export function originOf(requestId: string | null | undefined, client: IpKey | null): Origin {
  return {
    requestId: requestId && REQUEST_ID.test(requestId) ? requestId : newId(),
    clientIp: client && ipText(client),
  }
}
