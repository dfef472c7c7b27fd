/**
 * Splits AWS's binary event streams (application/vnd.amazon.eventstream; the Smithy specification "Event streams") into
 * events, wherever packets cut them. An event is given as a server-sent one: named by its type, its payload as the data.
 */
import { createRequire } from 'node:module'
import { crc32 } from 'node:zlib'

import type * as Smithy from '@smithy/eventstream-codec'

import { Bytes } from '../bytes.ts'
import { latin1FromUtf8 } from './json.ts'
import type { Splitter } from './splitter.ts'

/** A frame's length, that of its headers, and the checksum of both. */
const PRELUDE_LENGTH = 12
/** The prelude and the checksum of all. */
const LEAST_LENGTH = 16
/** The specification's, of payload and headers together, and what stands around them. */
const MOST_LENGTH = 16_777_216 + 131_072 + LEAST_LENGTH

const NAME = /^[\w.-]{1,200}$/
const LINE_ENDS = /[\r\n]/g

const require = createRequire(import.meta.url)
let codec: Smithy.EventStreamCodec | null = null

/** What reads frames. It takes 7 MB: only who asks AWS loads it, and before the first stream comes. */
export function awsCodec(): Smithy.EventStreamCodec {
  if (codec === null) {
    const { EventStreamCodec } = require('@smithy/eventstream-codec') as typeof Smithy
    codec = new EventStreamCodec(textOf, bytesOf)
  }
  return codec
}

export class AwsEventSplitter implements Splitter {
  text = ''
  readonly start = 0
  fault: string | null = null
  /** Frames, the first of which may have come in part only. */
  private readonly held = new Bytes()
  /** What was taken of {@link held}: it begins with a frame. */
  private bytes: Buffer = NOTHING
  /** Of the frame that comes next; 0: its prelude has not come. */
  private frameLength = 0

  get end(): number {
    return this.text.length
  }

  get pendingLength(): number {
    return this.bytes.length + this.held.length
  }

  pushBytes(chunk: Buffer): void {
    if (this.bytes.length > 0) this.held.append(this.bytes)
    this.bytes = NOTHING
    this.held.append(chunk)
  }

  next(): boolean {
    this.text = ''
    if (this.fault !== null || this.pendingLength < Math.max(this.frameLength, PRELUDE_LENGTH)) return false
    if (this.held.length > 0) this.bytes = this.held.take()
    if (this.frameLength === 0) this.readPrelude()
    if (this.fault !== null || this.bytes.length < this.frameLength) return false
    const frame = this.bytes.subarray(0, this.frameLength)
    this.bytes = frame.length === this.bytes.length ? NOTHING : this.bytes.subarray(frame.length)
    this.frameLength = 0
    this.read(frame)
    return this.fault === null
  }

  /** Half of a frame says nothing. */
  rest(): string {
    return ''
  }

  /** Checked before the rest is waited for: a broken length would have it wait for ever. */
  private readPrelude(): void {
    const length = this.bytes.readUInt32BE(0)
    if (this.bytes.readUInt32BE(8) !== crc32(this.bytes.subarray(0, 8))) {
      this.break('a frame begins with another checksum than its own')
    } else if (length < LEAST_LENGTH || length > MOST_LENGTH) {
      this.break(`a frame of ${length} bytes`)
    } else {
      this.frameLength = length
    }
  }

  private read(frame: Buffer): void {
    try {
      const { headers, body } = awsCodec().decode(frame)
      const name = nameOf(headers)
      this.text = `event: ${name}\ndata: ${name === 'error' ? errorData(headers) : dataOf(body)}\n\n`
    } catch (error) {
      this.break(error instanceof Error ? error.message : String(error))
    }
  }

  private break(fault: string): void {
    this.fault = `the binary stream is broken: ${fault}`
    this.bytes = NOTHING
    this.held.take()
  }
}

const NOTHING = Buffer.alloc(0)

type Headers = ReturnType<Smithy.EventStreamCodec['decode']>['headers']

/** `error` of an error that the service's model does not know; empty where none is told. */
function nameOf(headers: Headers): string {
  const type = textHeader(headers, ':message-type')
  if (type === 'error') return type
  const name = textHeader(headers, type === 'exception' ? ':exception-type' : ':event-type')
  return NAME.test(name) ? name : ''
}

function errorData(headers: Headers): string {
  const error = { code: textHeader(headers, ':error-code'), message: textHeader(headers, ':error-message') }
  return latin1FromUtf8(JSON.stringify(error))
}

/** Between the tokens of JSON a line end is as good as a space, and would end the line here. */
function dataOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1').replace(LINE_ENDS, ' ')
}

function textHeader(headers: Headers, name: string): string {
  const header = headers[name]
  return header?.type === 'string' ? header.value : ''
}

function textOf(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}
