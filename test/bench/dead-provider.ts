/**
 * The storm's dead provider: answers 503 at once, and counts who asked.
 * Run as a process of its own; says {type: 'ready', url}, and answers {type: 'calls'} with {type: 'calls', at}.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { DeadCalls } from './messages.ts'

const BODY = '{"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}'
/** Epoch milliseconds of each request since they were last asked for. */
let at: number[] = []

const server = createServer((request, response) => {
  at.push(Date.now())
  request.resume()
  response.writeHead(503, { 'content-type': 'application/json', 'content-length': BODY.length }).end(BODY)
})

process.on('message', () => {
  process.send!({ type: 'calls', at } satisfies DeadCalls)
  at = []
})
server.listen(0, '127.0.0.1', 1_024, () => {
  process.send!({ type: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
process.on('disconnect', () => process.exit())
