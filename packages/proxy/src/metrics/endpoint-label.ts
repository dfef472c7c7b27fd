import { ENDPOINTS } from '../endpoints/index.ts'
import type { Exchange } from '../request/exchange.ts'
import { OTHER } from './request-series.ts'

const KNOWN: ReadonlySet<string> = new Set([...ENDPOINTS.map(({ path }) => path), '/v1/models', '/v1/models/{id}'])

/**
 * A request's endpoint as one of few: itself where it is one of the gateway's own; of a path that is passed on, what the
 * provider's settings list it as. A path that a client has thought of is `other`.
 */
export function endpointLabel({ endpoint, found }: Exchange): string {
  if (KNOWN.has(endpoint)) return endpoint
  return found?.alias.routes[0]?.connection?.passthrough?.listedAs(endpoint) ?? OTHER
}
