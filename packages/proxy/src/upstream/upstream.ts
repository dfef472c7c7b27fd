import type { Dispatcher } from 'undici'

/** Where requests to a provider go: a connection pool, or a provider that is simulated in this process. */
export interface Upstream {
  /** As undici's `Dispatcher.dispatch`: answers by calling the handler, once, whatever happens. */
  dispatch(options: UpstreamRequest, handler: Dispatcher.DispatchHandler): boolean
}

export interface UpstreamRequest {
  readonly path: string
  readonly method: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Buffer | null
}
