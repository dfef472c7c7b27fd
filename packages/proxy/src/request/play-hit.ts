import type { ReplayPace } from '@millrace/shared'

import type { StoredAnswer } from '../cache/answer.ts'
import type { Hit } from '../cache/cache.ts'
import type { Endpoint } from '../endpoints/endpoint.ts'
import type { Exchange } from './exchange.ts'
import { Playback } from './playback.ts'
import { StoredTape } from './tape.ts'

/** Characters of a stream that is made into an unstreamed answer: it takes 0.1 ms of every 100 KB of text, more of logprobs. */
const MOST_FOLDED = 1_048_576

/**
 * Gives a client a stored answer, in the form that it asks for.
 * @returns false if that form cannot say what the answer does; then nothing was sent
 */
export function playHit(exchange: Exchange, endpoint: Endpoint, hit: Hit, pace: ReplayPace): boolean {
  const answer = inForm(hit.answer, exchange.call!.stream, endpoint)
  if (answer === null) return false
  exchange.stored = answer
  const { storedAt, expiresAt, etag } = answer
  exchange.cache = { outcome: 'HIT', tier: hit.tier, storedAt, expiresAt, etag }
  const playback = new Playback(exchange, new StoredTape(answer), pace === 'RECORDED', null)
  exchange.deliverBy(playback)
  playback.pump()
  return true
}

function inForm(answer: StoredAnswer, stream: boolean, endpoint: Endpoint): StoredAnswer | null {
  if ((answer.stream !== null) === stream) return answer
  if (!stream) {
    const body = answer.body.length > MOST_FOLDED ? null : endpoint.fold(answer.body)
    return body === null ? null : { ...answer, ...changed(answer, 'application/json'), body, stream: null }
  }
  const form = endpoint.unfold(answer.body)
  if (form === null) return null
  const { events, ends, usagePart } = form
  const marks = { ends, at: ends.map(atOnce), usagePart }
  return { ...answer, ...changed(answer, 'text/event-stream; charset=utf-8'), body: events, stream: marks }
}

function atOnce(): number {
  return 0
}

/** A stream has its own of the last two. */
const OF_THE_FORM: ReadonlySet<string> = new Set(['content-type', 'cache-control', 'x-accel-buffering'])

/** What tells of the other form. Both say the same, not in the same bytes: its validator is a weak one. */
function changed({ headers, etag }: StoredAnswer, contentType: string): Pick<StoredAnswer, 'headers' | 'etag'> {
  const typed: string[] = ['content-type', contentType]
  for (let i = 0; i < headers.length; i += 2) {
    if (!OF_THE_FORM.has(headers[i]!)) typed.push(headers[i]!, headers[i + 1]!)
  }
  return { headers: typed, etag: `W/${etag}` }
}
