/** What every resolver gets beside its arguments. */
import type { Logger } from 'pino'

import type { Viewer } from '../access/authenticate.ts'
import type { Actor } from '../revisions/change.ts'
import type { Services } from '../services.ts'
import { unauthenticated } from './errors.ts'
import type { Loaders } from './loaders.ts'

/** Where an operation comes from. */
export interface Origin {
  readonly requestId: string
  readonly clientIp: string | null
}

/** One operation. */
export class Context {
  readonly services: Services
  readonly loaders: Loaders
  readonly log: Logger
  readonly origin: Origin
  /** Whose key it came with; null without one, and with one that is not good. */
  readonly viewer: Viewer | null

  constructor(services: Services, loaders: Loaders, log: Logger, origin: Origin, viewer: Viewer | null) {
    this.services = services
    this.loaders = loaders
    this.log = log
    this.origin = origin
    this.viewer = viewer
  }

  /** Who changes something here. */
  get actor(): Actor {
    if (!this.viewer) throw unauthenticated('an admin key is needed')
    return { name: this.viewer.name, keyId: this.viewer.id, ...this.origin }
  }
}
