import type { Readable } from 'node:stream'

import type { Dispatcher } from 'undici'

/** Where requests to a provider go: a connection pool, or a provider that is simulated in this process. */
export interface Upstream {
  /** As undici's `Dispatcher.dispatch`: answers by calling the handler, once, whatever happens. */
  dispatch(options: UpstreamRequest<AnyBody>, handler: Dispatcher.DispatchHandler): boolean
}

/** A stream is sent as it comes, once; whoever takes it destroys it. */
export type AnyBody = Buffer | Readable | null

export interface UpstreamRequest<Body extends AnyBody = Buffer | null> {
  readonly path: string
  readonly method: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Body
}

export function isStream(body: AnyBody): body is Readable {
  return body !== null && !Buffer.isBuffer(body)
}
