/** Answers of the fake upstream, in the API of a provider. */
import type { OutgoingHttpHeaders } from 'node:http'

import type { Behaviour } from '../../helpers/upstream.ts'
import { piecesOf, writePieces } from '../../helpers/upstream/answers.ts'
import { behaviours } from '../../helpers/upstream/behaviours.ts'
import { EVENT_STREAM, recordedFrames } from '../../helpers/upstream/event-stream.ts'
import type { Dialect } from './kinds.ts'

/** How a stream's bytes are cut: an event at a time, so many bytes each, or at places that a seed decides. */
export type Cut = 'event' | number | { readonly seed: number }

/** A whole answer. */
export function replayAnswer(json: string | object): Behaviour {
  return behaviours.raw(typeof json === 'string' ? json : JSON.stringify(json))
}

/** @param lines the data of each event; of Bedrock `{NAME: payload}` */
export function replayStream(dialect: Dialect, lines: readonly string[], cut: Cut = 'event'): Behaviour {
  const frames =
    dialect === 'converse' ? recordedFrames(lines) : eventsOf(dialect, lines).map((event) => Buffer.from(event))
  const type = dialect === 'converse' ? EVENT_STREAM : 'text/event-stream; charset=utf-8'
  const headers = { 'content-type': type, ...UPSTREAM_ID[dialect] }
  if (cut === 'event') return inPieces(frames, headers)
  const bytes = Buffer.concat(frames)
  return inPieces(typeof cut === 'number' ? piecesOf(bytes, cut) : cutInto(bytes, sizes(cut.seed)), headers)
}

/** A piece an HTTP chunk. */
function inPieces(pieces: readonly Buffer[], headers: OutgoingHttpHeaders): Behaviour {
  return async (exchange) => {
    exchange.head(200, headers)
    await writePieces(exchange, pieces)
    exchange.end()
  }
}

/** By which a provider's answers can be asked after. */
const UPSTREAM_ID: Readonly<Partial<Record<Dialect, Record<string, string>>>> = {
  converse: { 'x-amzn-requestid': 'req-of-aws' },
  messages: { 'request-id': 'req-of-anthropic' },
  chat: { 'x-request-id': 'req-of-openai' },
  responses: { 'x-request-id': 'req-of-openai' },
}

function eventsOf(dialect: Dialect, lines: readonly string[]): string[] {
  const events = lines.map((line) => {
    const type = dialect === 'messages' || dialect === 'responses' ? (JSON.parse(line) as { type: string }).type : null
    return `${type === null ? '' : `event: ${type}\n`}data: ${line}\n\n`
  })
  return dialect === 'chat' || dialect === 'completions' ? [...events, 'data: [DONE]\n\n'] : events
}

function cutInto(bytes: Buffer, next: () => number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + next()
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

/** From 1 to 97 bytes, the same of the same seed (mulberry32). */
function sizes(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return 1 + (((t ^ (t >>> 14)) >>> 0) % 97)
  }
}
