import { baseUrlOf, type ProviderKind, type SnapshotProvider } from '@millrace/shared'

import type { Pools } from '../upstream/pools.ts'
import { Targets, type Connection } from './provider.ts'

/**
 * Where a provider lives: where it says, or as its kind, preset or region does.
 * @throws Error if none of them does
 */
export function urlOf({ kind, baseUrl, settings }: SnapshotProvider): URL {
  const url = baseUrl ?? baseUrlOf(kind as ProviderKind, settings)
  if (url === null) throw new Error('has no base URL')
  return new URL(url)
}

/**
 * The way to a provider that is reached by HTTP.
 * @param path below which its API lies, without a slash at its end; the base URL's own unless it is given
 */
export function reached(
  provider: SnapshotProvider,
  pools: Pools,
  url: URL,
  http2: boolean,
  path = pathOf(url),
): Pick<Connection, 'upstream' | 'pooled' | 'targets'> {
  const { origin } = url
  const pooled = pools.upstream({ origin, connectTimeoutMs: provider.timeouts.connect, http2 })
  return { upstream: pooled, pooled, targets: new Targets(origin, path) }
}

/** A base URL's path, without a slash at its end. */
export function pathOf({ pathname }: URL): string {
  return pathname.replace(/\/+$/, '')
}
