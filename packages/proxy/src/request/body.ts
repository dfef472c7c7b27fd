import type { IncomingMessage } from 'node:http'

import { GatewayError } from '@millrace/shared'

import { Bytes } from '../bytes.ts'
import { wantBody } from './expected.ts'

const kReading = Symbol('reading')

interface ReadRequest extends IncomingMessage {
  [kReading]?: Reading
}

/** The client went while it was still sending: there is nobody to answer. */
export class ClientGone extends Error {}

class Reading {
  readonly bytes = new Bytes()
  readonly limit: number
  readonly resolve: (body: Buffer) => void
  readonly reject: (error: Error) => void

  constructor(limit: number, resolve: (body: Buffer) => void, reject: (error: Error) => void) {
    this.limit = limit
    this.resolve = resolve
    this.reject = reject
  }
}

/**
 * Reads a request's whole body.
 * @param limit bytes; a longer one is refused as soon as that is known
 * @throws GatewayError request_too_large
 * @throws ClientGone if the client went before it was complete
 */
export function readBody(req: ReadRequest, limit: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge(limit))
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  req[kReading] = new Reading(limit, resolve, reject)
  wantBody(req)
  req.on('data', onData)
  req.on('end', onEnd)
  req.on('close', onClose)
  return promise
}

function onData(this: ReadRequest, chunk: Buffer): void {
  const reading = this[kReading]!
  if (reading.bytes.length + chunk.length <= reading.limit) {
    reading.bytes.append(chunk)
  } else {
    this.off('data', onData)
    reading.bytes.take()
    reading.reject(tooLarge(reading.limit))
  }
}

function onEnd(this: ReadRequest): void {
  const { bytes, resolve } = this[kReading]!
  resolve(bytes.take())
}

function onClose(this: ReadRequest): void {
  if (!this.complete) this[kReading]!.reject(new ClientGone())
}

function tooLarge(limit: number): GatewayError {
  return new GatewayError('request_too_large', `The request body is over the limit of ${limit} bytes.`)
}
