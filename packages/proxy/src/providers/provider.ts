/** What is particular to a provider kind. One file a kind implements it; index.ts registers them. */
import type { SnapshotProvider } from '@millrace/shared'

import type { Pools, PooledUpstream } from '../upstream/pools.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** A provider, ready to be sent requests. */
export interface Connection {
  readonly upstream: Upstream
  /** The pool behind {@link upstream}, if there is one: it is kept as long as a snapshot names it. */
  readonly pooled: PooledUpstream | null
  /** Where requests go, for records: no credentials, no query. */
  readonly baseUrl: string
  /** What stands before an endpoint's path at this origin. */
  readonly pathPrefix: string
}

export interface Provider {
  /** Whether a provider without any credential is asked without one, or can't be asked. */
  readonly needsCredential: boolean
  /** The headers that carry an upstream key, names and values in turn. */
  authorize(apiKey: string): readonly string[]
  /** @throws Error if the provider's settings or URL cannot be used */
  connect(provider: SnapshotProvider, pools: Pools): Connection
}
