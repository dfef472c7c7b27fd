/** What every resolver gets beside its arguments. */
import type { Logger } from 'pino'

import type { Viewer } from '../access/authenticate.ts'
import { NOWHERE, type Scope } from '../access/scope.ts'
import type { RefusedOperation } from '../audit/refusals.ts'
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

  /** What the key reaches. */
  get scope(): Scope {
    return this.viewer?.scope ?? NOWHERE
  }

  /** Who changes something here. */
  get actor(): Actor {
    if (!this.viewer) throw unauthenticated('an admin key is needed')
    return { name: this.viewer.name, keyId: this.viewer.id, scope: this.viewer.scope, ...this.origin }
  }

  /** Resolves once there is an audit event of it, or it was counted with others. */
  noteRefusal(operation: RefusedOperation): Promise<void> {
    return this.services.refusals.note(this.viewer && this.actor, this.origin, operation)
  }
}
