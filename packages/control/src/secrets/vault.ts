/** Turns an upstream key that a client entered into what is stored of it. */
import { credentialContext, envReferenceAllowed, fingerprint, seal, type MasterKey } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import { requireCurrent } from './claim.ts'

const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/
/** AWS's, with a session's token, are the longest. */
const LONGEST_KEY = 8_192

/** What is stored: one of `sealed` and `env`, and what may be shown. */
export interface StoredSecret {
  readonly sealed: string | null
  readonly env: string | null
  readonly fingerprint: string
}

export class Vault {
  readonly #masterKey: MasterKey
  readonly #envAllow: readonly string[]

  /** @param envAllow globs of the names that `env:` references may read */
  constructor(masterKey: MasterKey, envAllow: readonly string[]) {
    this.#masterKey = masterKey
    this.#envAllow = envAllow
  }

  /** Why a key cannot be taken, or null. Never tells the key. */
  fault(apiKey: string): string | null {
    if (apiKey.startsWith('env:')) {
      const name = REFERENCE.exec(apiKey)?.[1]
      if (name === undefined) return 'must name a variable: env:NAME'
      return envReferenceAllowed(name, this.#envAllow)
        ? null
        : `${name} is not a name that MILLRACE_ENV_ALLOW lets be read`
    }
    if (apiKey.length > LONGEST_KEY) return `must have at most ${LONGEST_KEY} characters`
    return /^[\x21-\x7e]+$/.test(apiKey) ? null : 'must be printable ASCII without spaces'
  }

  /** @throws GraphQLError CONFLICT if the master key was changed since this process was started */
  requireCurrentKey(em: Em): Promise<void> {
    return requireCurrent(em, this.#masterKey)
  }

  /** Seals a key for one row of one provider; it opens nowhere else. */
  store(apiKey: string, providerId: string, credentialId: string): StoredSecret {
    const env = REFERENCE.exec(apiKey)?.[1]
    if (env !== undefined) return { sealed: null, env, fingerprint: apiKey }
    return {
      sealed: seal(apiKey, this.#masterKey, credentialContext(providerId, credentialId)),
      env: null,
      fingerprint: fingerprint(apiKey),
    }
  }
}
