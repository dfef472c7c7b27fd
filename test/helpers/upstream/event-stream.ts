/**
 * AWS's binary event streams (application/vnd.amazon.eventstream), written by hand after the Smithy specification "Event
 * streams", section "Amazon Event Stream": length, length of headers and their CRC, headers, payload, CRC of all.
 */
import { crc32 } from 'node:zlib'

import { piecesOf, writePieces } from './answers.ts'
import type { Behaviour } from './exchange.ts'

export const EVENT_STREAM = 'application/vnd.amazon.eventstream'

const STRING = 7

/** One frame with headers that are strings. */
function binaryFrame(headers: Readonly<Record<string, string>>, payload: string | Buffer): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => stringHeader(name, value)))
  const body = Buffer.from(payload)
  const frame = Buffer.alloc(16 + head.length + body.length)
  frame.writeUInt32BE(frame.length, 0)
  frame.writeUInt32BE(head.length, 4)
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8)
  head.copy(frame, 12)
  body.copy(frame, 12 + head.length)
  frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4)
  return frame
}

function stringHeader(name: string, value: string): Buffer {
  const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)]
  const length = Buffer.alloc(3)
  length.writeUInt8(STRING, 0)
  length.writeUInt16BE(valueBytes.length, 1)
  return Buffer.concat([Buffer.from([nameBytes.length]), nameBytes, length, valueBytes])
}

/** An event as AWS's services send it. @param payload JSON */
export function eventFrame(name: string, payload: string): Buffer {
  const headers = { ':event-type': name, ':content-type': 'application/json', ':message-type': 'event' }
  return binaryFrame(headers, payload)
}

/** An exception that the service's model knows, which ends the stream. */
export function exceptionFrame(name: string, message: string): Buffer {
  const headers = { ':exception-type': name, ':content-type': 'application/json', ':message-type': 'exception' }
  return binaryFrame(headers, JSON.stringify({ message }))
}

/** An error that it does not know. */
export function errorFrame(code: string, message: string): Buffer {
  return binaryFrame({ ':error-code': code, ':error-message': message, ':message-type': 'error' }, '')
}

/** The frames of a recorded stream: of each line `{NAME: payload}`. */
export function recordedFrames(lines: readonly string[]): Buffer[] {
  return lines.map((line) => {
    const [[name, payload]] = Object.entries(JSON.parse(line) as Record<string, { message?: string }>) as [
      [string, { message?: string }],
    ]
    if (name.endsWith('Exception')) return exceptionFrame(name, payload.message ?? '')
    return eventFrame(name, JSON.stringify(payload))
  })
}

/** A stream of these frames. @param split how the bytes are cut into HTTP chunks: one a frame, or so many bytes each */
export function binaryEvents(frames: readonly Buffer[], split: 'frame' | number = 'frame'): Behaviour {
  return async (exchange) => {
    exchange.head(200, { 'content-type': EVENT_STREAM, 'x-amzn-requestid': 'request-id-of-aws' })
    await writePieces(exchange, split === 'frame' ? frames : piecesOf(Buffer.concat(frames), split))
    exchange.end()
  }
}
