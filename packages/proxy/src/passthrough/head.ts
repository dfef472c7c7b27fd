/** The headers of answers that pass through. */
import type { StoredResponse } from '../cache/http/response.ts'
import { addUpstreamHeaders, gatewayHeaders } from '../request/answer-headers.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Exchange } from '../request/exchange.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'

/** What the gateway says of its own cache, and not another of its. */
const OF_OTHERS = ['x-cache', 'x-accel-buffering']
/** The same, and what has become another since it was stored. */
const OF_BEFORE = ['x-cache', 'age']
/** What tells of a body, where there is none (RFC 9110, section 15.4.5). */
const OF_A_BODY = [...OF_BEFORE, 'content-type', 'content-language', 'content-disposition', 'content-range']

/** Of an answer's body and time, which are the provider's. */
const OF_ITS_OWN = ['content-encoding', 'content-length', 'date']

/** Of a provider's answer, as it came. */
export function passedHead({ exchange, upstreamHeaders }: Attempt): string[] {
  const headers = gatewayHeaders(exchange)
  addUpstreamHeaders(headers, upstreamHeaders, OF_OTHERS)
  for (const name of OF_ITS_OWN) addOne(headers, upstreamHeaders, name)
  // As other streams: nginx before us would hold it up.
  if (String(upstreamHeaders['content-type']).startsWith('text/event-stream')) headers.push('x-accel-buffering', 'no')
  return headers
}

/** Of a stored answer. */
export function storedHead(exchange: Exchange, { headers: stored, body, status }: StoredResponse): string[] {
  const headers = gatewayHeaders(exchange)
  addUpstreamHeaders(headers, stored, OF_BEFORE)
  addOne(headers, stored, 'date')
  if (status !== 204) headers.push('content-length', String(body.length))
  return headers
}

/** Of the answer to who has what is stored. */
export function unchangedHead(exchange: Exchange, { headers: stored }: StoredResponse): string[] {
  const headers = gatewayHeaders(exchange)
  addUpstreamHeaders(headers, stored, OF_A_BODY)
  addOne(headers, stored, 'date')
  return headers
}

function addOne(list: string[], headers: UpstreamHeaders, name: string): void {
  const value = headers[name]
  if (typeof value === 'string') list.push(name, value)
}
