/** Clients that stay: sockets and streams. So many at once, and none for longer than its key is good. */
import type { Logger } from 'pino'

import type { Authenticator, Viewer } from '../access/authenticate.ts'
import { Role } from '../access/role.ts'

/** Of operators. Proxies, without which nothing is served anew, always find a place. */
const MOST_SESSIONS = 1_000
/** How long they may outlive their key's being revoked. */
const REVOCATION_CHECK_MS = 1_000

export const TOO_MANY_SESSIONS = `more than ${MOST_SESSIONS} sockets and streams are open`

export interface Session {
  readonly viewer: Viewer
  /** Called once, when the key was revoked: it is out of the sessions by then. */
  readonly revoked: () => void
}

export class Sessions {
  readonly #authenticator: Authenticator
  readonly #log: Logger
  readonly #sessions = new Set<Session>()
  readonly #revocationCheck: NodeJS.Timeout
  #operators = 0

  constructor(authenticator: Authenticator, log: Logger) {
    this.#authenticator = authenticator
    this.#log = log
    this.#revocationCheck = setInterval(() => void this.#endRevoked(), REVOCATION_CHECK_MS)
  }

  close(): void {
    clearInterval(this.#revocationCheck)
  }

  /** @returns false if there are too many */
  add(session: Session): boolean {
    const isOperator = session.viewer.role !== Role.PROXY
    if (isOperator && this.#operators >= MOST_SESSIONS) return false
    this.#sessions.add(session)
    if (isOperator) this.#operators++
    return true
  }

  delete(session: Session): void {
    if (this.#sessions.delete(session) && session.viewer.role !== Role.PROXY) this.#operators--
  }

  async #endRevoked(): Promise<void> {
    if (this.#sessions.size === 0) return
    try {
      const ids = new Set([...this.#sessions].map(({ viewer }) => viewer.id))
      const revoked = await this.#authenticator.revoked([...ids])
      for (const session of this.#sessions)
        if (revoked.has(session.viewer.id)) {
          this.delete(session)
          session.revoked()
        }
    } catch (error) {
      this.#log.debug({ reason: (error as Error).message }, 'cannot look for revoked keys')
    }
  }
}
