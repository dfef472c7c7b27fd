/**
 * The configuration as requests read it: Maps instead of lists, secrets opened, providers connected.
 * Made whole beside the running one and never changed afterwards.
 */
import type { RoutableRoute, Timeouts } from '@millrace/shared'

import type { Connection } from '../providers/provider.ts'

export interface CompiledSnapshot {
  readonly revision: number
  /** By the SHA-256 digest of the secret. */
  readonly tokens: ReadonlyMap<string, CompiledToken>
  readonly providers: readonly CompiledProvider[]
}

export interface CompiledToken {
  readonly id: string
  readonly project: CompiledProject
  readonly revoked: boolean
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null
}

export interface CompiledProject {
  readonly id: string
  readonly name: string
  readonly active: boolean
  /** Its own aliases, by name; they stand before global ones of the same name. */
  readonly ownAliases: ReadonlyMap<string, CompiledAlias>
  /** Those of every project; one Map for all. */
  readonly globalAliases: ReadonlyMap<string, CompiledAlias>
}

/** The alias that a project's tokens call by this name. */
export function findAlias({ ownAliases, globalAliases }: CompiledProject, name: string): CompiledAlias | undefined {
  return ownAliases.get(name) ?? globalAliases.get(name)
}

export interface CompiledAlias {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly routes: readonly CompiledRoute[]
}

export interface CompiledRoute extends RoutableRoute {
  readonly id: string
  readonly provider: CompiledProvider
  /** Null: the model that was asked for. */
  readonly providerModel: string | null
}

export interface CompiledProvider {
  readonly id: string
  readonly name: string
  /** {@link name} as a header can carry it. */
  readonly headerName: string
  readonly timeouts: Timeouts
  readonly connection: Connection
  /** Whether requests may go to it only with an upstream key. */
  readonly needsCredential: boolean
  readonly sharedCredentials: readonly Credential[]
  readonly projectCredentials: ReadonlyMap<string, readonly Credential[]>
}

/** An upstream key, opened. Lives in memory only; must never be logged or recorded. */
export interface Credential {
  readonly source: 'PROJECT' | 'PROVIDER'
  readonly fingerprint: string
  readonly apiKey: string
  /** The headers that carry it, names and values in turn. */
  readonly headers: readonly string[]
}
