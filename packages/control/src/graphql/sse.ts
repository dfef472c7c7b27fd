/**
 * GraphQL over server-sent events (graphql-sse's "distinct connections" mode), for clients of plain HTTP, under the rules
 * that hold on HTTP and on WebSocket.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { ExecutionResult, GraphQLSchema } from 'graphql'
import { createHandler, type Handler } from 'graphql-sse'
import type { Logger } from 'pino'

import type { Viewer } from '../access/authenticate.ts'
import { tooManyFailures, type Door } from '../access/door.ts'
import { failureOf, refusalOf, type Refusal } from '../access/reader.ts'
import type { Context, Origin } from './context.ts'
import { badInput, unauthenticated } from './errors.ts'
import { originOf, type ContextFactory } from './operation.ts'
import { prepare, withMaskedErrors } from './prepare.ts'
import { TOO_MANY_SESSIONS, type Session, type Sessions } from './sessions.ts'
import { subscribeShared } from './shared-results.ts'
import { PacedEvents, writeMessages } from './sse-writer.ts'

export const STREAM_PATH = '/graphql/stream'

const MEDIA_TYPE = 'text/event-stream'
const MAX_BODY_BYTES = 1024 * 1024
/** As graphql-sse writes an event with an answer. */
const ANSWER = 'event: next'
const REVOKED = `event: next\ndata: ${JSON.stringify({ errors: [unauthenticated('the key was revoked')] })}\n\nevent: complete\ndata:\n\n`

/** One request, and what it gets. */
interface Call {
  readonly origin: Origin
  readonly viewer: Viewer
  events: PacedEvents<ExecutionResult> | null
}

export class GraphqlOverSse {
  readonly #door: Door
  readonly #sessions: Sessions
  readonly #log: Logger
  readonly #handler: Handler<null, Call>
  readonly #open = new Set<ServerResponse>()

  constructor(schema: GraphQLSchema, door: Door, contexts: ContextFactory, sessions: Sessions, log: Logger) {
    this.#door = door
    this.#sessions = sessions
    this.#log = log
    this.#handler = createHandler<null, Call, Context & Record<PropertyKey, unknown>>({
      // None: each operation on a connection of its own.
      authenticate: () => null,
      onSubscribe: ({ context: { origin, viewer } }, params) => {
        const prepared = prepare(schema, contexts, origin, viewer, params)
        // With its `data`, graphql-sse knows it for an answer.
        return 'schema' in prepared ? (prepared as never) : { errors: prepared, data: undefined as never }
      },
      validate: () => [],
      subscribe: subscribeShared,
      onOperation: (_context, { context }, _args, result) => {
        if (!(Symbol.asyncIterator in result)) return undefined
        const events = result[Symbol.asyncIterator]() as AsyncIterator<ExecutionResult>
        return (context.events = new PacedEvents(events))
      },
      onNext: (_context, { context: { origin } }, result) =>
        withMaskedErrors(result, { origin, log }) as ExecutionResult,
    })
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size
  }

  /** Ends all streams, as a connection ends that is lost: clients come again. */
  close(): void {
    for (const response of this.#open) response.destroy()
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = this.#door.clientOf(request.socket.remoteAddress, request.headers['x-forwarded-for'])
    const origin = originOf(headerOf(request, 'x-request-id'), client)
    try {
      const { authorization = null } = request.headers
      const { viewer, waitMs } = await this.#door.enter(authorization, client, origin, 'Stream')
      if (waitMs > 0)
        return refuse(
          response,
          refusalOf(429, tooManyFailures(), origin, { 'retry-after': String(Math.ceil(waitMs / 1_000)) }),
        )
      if (viewer === null) {
        const error = unauthenticated('an admin key is needed: authorization: Bearer …')
        return refuse(response, refusalOf(401, error, origin, { 'www-authenticate': 'Bearer' }))
      }
      await this.#serve(request, response, { origin, viewer, events: null })
    } catch (error) {
      if (response.headersSent || request.socket.destroyed) response.destroy()
      else refuse(response, failureOf(error, origin, this.#log))
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, call: Call): Promise<void> {
    const { origin, viewer } = call
    const { method = '', url = '' } = request
    if (method !== 'GET' && method !== 'POST')
      return refuse(response, refusalOf(405, badInput('query', 'comes by GET or POST'), origin, { allow: 'GET, POST' }))
    if (!/text\/event-stream|text\/\*|\*\/\*/.test(request.headers.accept ?? '*/*'))
      return refuse(response, refusalOf(406, badInput('query', `is answered as ${MEDIA_TYPE} here`), origin))
    const body = method === 'POST' ? await bodyOf(request) : ''
    if (body === null)
      return refuse(
        response,
        refusalOf(413, badInput('query', `the request must have at most ${MAX_BODY_BYTES} bytes`), origin, {
          connection: 'close',
        }),
      )
    const revoked = (): void => {
      void call.events?.return()
      if (!response.headersSent) response.writeHead(200, headersOf(origin))
      response.end(REVOKED)
    }
    const session: Session = { viewer, revoked }
    if (!this.#sessions.add(session)) {
      const error = badInput('query', TOO_MANY_SESSIONS)
      return refuse(response, refusalOf(503, error, origin, { 'retry-after': '5' }))
    }
    this.#open.add(response)
    try {
      const headers = {
        get: (name: string) => (name === 'accept' ? MEDIA_TYPE : headerOf(request, name)),
      }
      const [messages, { status }] = await this.#handler({ method, url, headers, body, raw: null, context: call })
      if (messages === null || typeof messages === 'string') return refuse(response, refusedAs(status, origin))
      // Its key was revoked, or it went, before there was anything to tell.
      if (response.writableEnded || response.destroyed) return void (await messages.return(undefined))
      response.writeHead(200, headersOf(origin))
      await writeMessages(response, messages, (message) => {
        if (message.startsWith(ANSWER)) call.events?.taken()
      })
      response.end()
    } finally {
      this.#open.delete(response)
      this.#sessions.delete(session)
    }
  }
}

/** Of a stream. */
function headersOf({ requestId }: Origin): Record<string, string> {
  return {
    'content-type': `${MEDIA_TYPE}; charset=utf-8`,
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    'x-request-id': requestId,
  }
}

/** What graphql-sse takes for no operation at all. */
function refusedAs(status: number, origin: Origin): Refusal {
  if (status === 405) return refusalOf(405, badInput('query', 'a mutation comes by POST'), origin, { allow: 'POST' })
  if (status === 415) return refusalOf(415, badInput('query', 'the body must be application/json'), origin)
  return refusalOf(400, badInput('query', 'must be a GraphQL document, with its variables as an object'), origin)
}

function refuse(response: ServerResponse, { status, headers, body }: Refusal): void {
  response.writeHead(status, headers).end(body)
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Null if it is too large; the rest is not read. */
function bodyOf(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let bytes = 0
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= MAX_BODY_BYTES) pieces.push(piece)
      else {
        request.pause()
        resolve(null)
      }
    })
    request.once('end', () => resolve(Buffer.concat(pieces).toString()))
    request.once('error', reject)
  })
}
