/** Connection pools to upstreams: one an origin and set of options, kept across snapshots that still name it. */
import { isIP } from 'node:net'

import { Pool, type Dispatcher } from 'undici'

import { checkAddress, guardedLookup } from './address.ts'
import type { AnyBody, Upstream, UpstreamRequest } from './upstream.ts'

export interface PoolOptions {
  /** Scheme, host and port. */
  readonly origin: string
  readonly connectTimeoutMs: number
  readonly http2: boolean
}

/** Idle connections are kept this long unless the upstream says otherwise; under the 60 s after which load balancers drop them. */
const KEEP_ALIVE_MS = 30_000

export class Pools {
  private readonly pools = new Map<string, Pool>()
  private readonly privateAllowed: boolean

  constructor(privateAllowed: boolean) {
    this.privateAllowed = privateAllowed
  }

  /** The way to an origin. The pool behind it is made when first used, and again if it was closed in the meantime. */
  upstream(options: PoolOptions): PooledUpstream {
    return new PooledUpstream(this, options)
  }

  /** @internal */
  open(key: string, options: PoolOptions): Pool {
    let pool = this.pools.get(key)
    if (!pool) {
      pool = this.create(options)
      this.pools.set(key, pool)
    }
    return pool
  }

  /** Closes the pools that no upstream in use has, after what they still serve. */
  retain(inUse: Iterable<PooledUpstream>): void {
    const keep = new Set(Array.from(inUse, ({ key }) => key))
    for (const [key, pool] of this.pools) {
      if (keep.has(key)) continue
      this.pools.delete(key)
      void pool.close()
    }
  }

  async destroy(): Promise<void> {
    await Promise.all(Array.from(this.pools.values(), (pool) => pool.destroy()))
    this.pools.clear()
  }

  private create({ origin, connectTimeoutMs, http2 }: PoolOptions): Pool {
    return new Pool(origin, {
      connections: null,
      pipelining: 1,
      allowH2: http2,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // The call's own deadlines are the only ones.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: connectTimeoutMs, lookup: guardedLookup(this.privateAllowed) },
    })
  }

  /** @internal @throws AddressRefused for an address written into the URL itself, which no lookup sees */
  checkOrigin(origin: string): void {
    const host = new URL(origin).hostname.replace(/^\[|\]$/g, '')
    if (isIP(host)) checkAddress(host, this.privateAllowed)
  }
}

export class PooledUpstream implements Upstream {
  readonly key: string
  private readonly pools: Pools
  private readonly options: PoolOptions

  constructor(pools: Pools, options: PoolOptions) {
    pools.checkOrigin(options.origin)
    this.pools = pools
    this.options = options
    this.key = `${options.origin} ${options.connectTimeoutMs} ${options.http2}`
  }

  dispatch(request: UpstreamRequest<AnyBody>, handler: Dispatcher.DispatchHandler): boolean {
    return this.pools.open(this.key, this.options).dispatch(request, handler)
  }
}
