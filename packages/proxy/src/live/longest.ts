/** The requests that are being served, as control asks for them. */
import { MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES, type Question } from '@millrace/shared'

import type { Exchange } from '../request/exchange.ts'
import type { Slots } from '../slots.ts'
import { inFlightOf } from './in-flight.ts'

/** Those that a question means, the longest running first. */
export function meantBy(
  { request, projects }: Pick<Question, 'request' | 'projects'>,
  active: Slots<Exchange>,
): Exchange[] {
  const own = projects && new Set(projects)
  // Visited twice, it is told once.
  const meant = new Set<Exchange>()
  active.forEach((exchange) => {
    if (request !== null && exchange.id !== request) return
    if (own === null || (exchange.token !== null && own.has(exchange.token.projectId))) meant.add(exchange)
  })
  return [...meant].sort(byStart)
}

/** Their InFlights in JSON, as many as an answer may hold; a step for each. One whose answer is complete is not served any more. */
export function* described(exchanges: readonly Exchange[]): Generator<void, string[]> {
  const texts: string[] = []
  let bytes = 0
  for (const exchange of exchanges) {
    if (exchange.over) continue
    const text = JSON.stringify(inFlightOf(exchange))
    bytes += Buffer.byteLength(text) + 1
    if (texts.length === MAX_IN_FLIGHT || bytes > MAX_IN_FLIGHT_BYTES) return texts
    texts.push(text)
    yield
  }
  return texts
}

function byStart(one: Exchange, other: Exchange): number {
  return one.began - other.began
}
