/** The HTTP server: what answers on which path. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { SettingsError } from '@millrace/shared'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'

import { EXPORT_PATH, type Exports } from './export/exports.ts'
import type { GraphqlOverHttp } from './graphql/http.ts'
import { STREAM_PATH, type GraphqlOverSse } from './graphql/sse.ts'
import { addOperations, type Operations } from './operations.ts'

/** Longer than clients keep an idle connection: whoever closes it first must not be the one who is about to be asked. */
const KEEP_ALIVE_MS = 75_000

/** What runs when the process ends may take so long. */
const CLOSE_TIMEOUT_MS = 5_000

export const GRAPHQL_PATH = '/graphql'

const GREETING = `This is the control plane of Millrace, an LLM gateway.

/graphql             the API: GraphQL over HTTP and WebSocket (graphql-ws), with an admin key as bearer token
/graphql/stream      the same as server-sent events (graphql-sse)
/export/requests.csv and /export/requests.ndjson: records of requests as a file, with the same key
/metrics             for Prometheus
/healthz             whether the process runs
/readyz              whether it can serve
`

export interface Handlers extends Operations {
  readonly graphql: GraphqlOverHttp
  readonly exports: Exports
  readonly streams: GraphqlOverSse
}

export function createHttpServer({ graphql, exports, streams, ...operations }: Handlers): Server {
  const app = new H3()
  app.get('/', () => new Response(GREETING, { headers: { 'content-type': 'text/plain; charset=utf-8' } }))
  addOperations(app, operations)
  app.all(GRAPHQL_PATH, (event) => graphql.handle(event))
  const handle = toNodeHandler(app)
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    // Not through h3: how a stream breaks off is told the client by the socket alone.
    if (request.url?.startsWith(EXPORT_PATH)) void exports.handle(request, response)
    else if (request.url?.split('?', 1)[0] === STREAM_PATH) void streams.handle(request, response)
    else void handle(request, response)
  })
}

/**
 * @param port 0: a free one
 * @returns the port that it listens on
 * @throws SettingsError
 */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(new SettingsError('MILLRACE_CONTROL_PORT', `port ${port} of ${host} is in use`))
      else if (error.code === 'EACCES')
        reject(new SettingsError('MILLRACE_CONTROL_PORT', `port ${port} needs other rights`))
      else reject(new SettingsError('MILLRACE_HOST', `cannot listen on ${host} (${error.code})`))
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Takes no more connections and waits for what runs on the others. */
export async function closeServer(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS)
  await new Promise((resolve) => server.close(resolve))
  clearTimeout(timer)
}

/** Open connections of clients. */
export async function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
