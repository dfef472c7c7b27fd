/** Clients that send a body only when they are told that it is wanted (`expect: 100-continue`, RFC 9110, section 10.1.1). */
import type { IncomingMessage, ServerResponse } from 'node:http'

const kExpected = Symbol('expected')

interface ExpectingRequest extends IncomingMessage {
  [kExpected]?: ServerResponse
}

/** A request has come whose client waits. If it is answered before {@link wantBody}, Node ends its connection after that. */
export function expectBody(req: ExpectingRequest, res: ServerResponse): void {
  req[kExpected] = res
}

/** Whether its client waits still, and sends nothing meanwhile. */
export function awaitsWord(req: ExpectingRequest): boolean {
  return req[kExpected] !== undefined
}

/** The body is going to be read. */
export function wantBody(req: ExpectingRequest): void {
  const res = req[kExpected]
  if (res === undefined) return
  delete req[kExpected]
  if (!res.headersSent) res.writeContinue()
}
