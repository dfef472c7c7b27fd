import { told } from '../cache/answer-headers.ts'
import type { StoredResponse } from '../cache/http/response.ts'
import type { Exchange } from '../request/exchange.ts'
import { storedHead, unchangedHead } from './head.ts'
import { StoredBody } from './stored-body.ts'

/**
 * Gives a client a stored answer.
 * @param held whether it has that already
 * @param how it came to be given, as parameters of `cache-status` (RFC 9211)
 */
export function sendStored(exchange: Exchange, stored: StoredResponse, held: boolean, how: string): void {
  const { req, res } = exchange
  const { age, freshFor } = stored.policy
  exchange.stored = stored
  exchange.cache = told('MEMORY', `${how}; ttl=${freshFor}`, age)
  if (held) res.writeHead(304, unchangedHead(exchange, stored))
  else res.writeHead(stored.status, storedHead(exchange, stored))
  const body = new StoredBody(exchange, held || req.method === 'HEAD' ? '' : stored.body)
  exchange.deliverBy(body)
  body.pump()
}
