/** GraphQL over WebSocket (graphql-ws), under the rules that hold on HTTP. */
import type { IncomingMessage, Server } from 'node:http'

import type { IpKey } from '@millrace/shared'
import type { ExecutionArgs, GraphQLError, GraphQLSchema } from 'graphql'
import { CloseCode, type Context as SocketContext, type SubscribePayload } from 'graphql-ws'
import { useServer, type Extra } from 'graphql-ws/use/ws'
import type { Logger } from 'pino'
import { WebSocketServer, type WebSocket } from 'ws'

import { tooManyFailures, type Door } from '../access/door.ts'
import { isUnavailable } from '../db/failure.ts'
import type { Context } from './context.ts'
import { badInput, withoutInternals } from './errors.ts'
import { gatherWrites } from './gathered-writes.ts'
import { originOf, type ContextFactory } from './operation.ts'
import { prepare, withMaskedErrors } from './prepare.ts'
import { TOO_MANY_SESSIONS, type Session, type Sessions } from './sessions.ts'
import { subscribeShared } from './shared-results.ts'

const KEY_NEEDED = 'an admin key is needed: {"authorization": "Bearer …"}'
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
/** RFC 6455 and IANA's registry: try again later. Clients of graphql-ws do. */
const TRY_AGAIN_LATER = 1013
/** How long a client may take to answer the closing of its socket. */
const CLOSE_TIMEOUT_MS = 2_000
/** How long a socket may be open without a key, and how many may be. */
const INIT_TIMEOUT_MS = 3_000
const MOST_WAITING = 1_000
/** Operations that one socket may have under way. */
const MOST_OPERATIONS = 100

type Params = Record<string, unknown>
type Socket = SocketContext<Params, Extra & Partial<Params>>

export class GraphqlOverWebSocket {
  readonly #schema: GraphQLSchema
  readonly #door: Door
  readonly #contexts: ContextFactory
  readonly #log: Logger
  readonly #sessions: Sessions
  readonly #sessionOf = new Map<WebSocket, Session>()
  readonly #sockets: WebSocketServer
  readonly #graphql: { dispose(): void | Promise<void> }

  constructor(
    server: Server,
    path: string,
    schema: GraphQLSchema,
    door: Door,
    contexts: ContextFactory,
    sessions: Sessions,
    log: Logger,
  ) {
    this.#schema = schema
    this.#door = door
    this.#contexts = contexts
    this.#sessions = sessions
    this.#log = log
    this.#sockets = new WebSocketServer({
      server,
      path,
      maxPayload: MAX_MESSAGE_BYTES,
      verifyClient: (_info, answer) => {
        const isFull = this.#sockets.clients.size - this.#sessionOf.size >= MOST_WAITING
        answer(!isFull, 503, TOO_MANY_SESSIONS)
      },
    })
    this.#graphql = useServer<Params, Params>(
      {
        schema,
        onConnect: (socket) => this.#connect(socket),
        onSubscribe: (socket, _id, payload) => this.#operation(socket, payload),
        subscribe: subscribeShared,
        onNext: (_socket, _id, _payload, { contextValue }, result) => withMaskedErrors(result, contextValue as Context),
        onError: ({ extra: { request } }, _id, _payload, errors) => {
          const { requestId } = originOf(null, this.#clientOf(request))
          return errors.map((error) => withoutInternals(error.toJSON(), requestId, log))
        },
        onClose: ({ extra: { socket } }) => this.#leave(socket),
        connectionInitWaitTimeout: INIT_TIMEOUT_MS,
        isProd: true,
      },
      this.#sockets,
    )
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#sockets.clients.size
  }

  /** Closes all sockets with 1001, and takes no more. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#sockets.clients.forEach((socket) => socket.terminate()), CLOSE_TIMEOUT_MS)
    await this.#graphql.dispose()
    clearTimeout(timer)
  }

  async #connect({ connectionParams, extra: { socket, request } }: Socket): Promise<boolean> {
    try {
      const authorization = connectionParams?.['authorization']
      const given = typeof authorization === 'string' ? authorization : null
      const client = this.#clientOf(request)
      const { viewer, waitMs } = await this.#door.enter(given, client, originOf(null, client), 'WebSocket')
      if (!viewer) {
        socket.close(CloseCode.Forbidden, waitMs > 0 ? tooManyFailures().message : KEY_NEEDED)
        return false
      }
      // It may have gone meanwhile, and would never be taken out again.
      if (socket.readyState !== socket.OPEN) return false
      const session: Session = {
        viewer,
        revoked: () => {
          // Until the client has answered the closing, its messages still come.
          this.#sessionOf.delete(socket)
          socket.close(CloseCode.Forbidden, 'the key was revoked')
        },
      }
      if (!this.#sessions.add(session)) {
        socket.close(TRY_AGAIN_LATER, TOO_MANY_SESSIONS)
        return false
      }
      this.#sessionOf.set(socket, session)
      gatherWrites(socket, request.socket)
      return true
    } catch (error) {
      if (!isUnavailable(error)) this.#log.error({ err: error }, 'a connection failed')
      socket.close(TRY_AGAIN_LATER, 'the database does not answer')
      return false
    }
  }

  #clientOf({ socket, headers }: IncomingMessage): IpKey | null {
    return this.#door.clientOf(socket.remoteAddress, headers['x-forwarded-for'])
  }

  #leave(socket: WebSocket): void {
    const session = this.#sessionOf.get(socket)
    if (session) this.#sessions.delete(session)
    this.#sessionOf.delete(socket)
  }

  #operation(
    { extra: { socket, request }, subscriptions }: Socket,
    payload: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    if (Object.keys(subscriptions).length > MOST_OPERATIONS)
      return [badInput('query', `a socket may have ${MOST_OPERATIONS} operations under way`)]
    const viewer = this.#sessionOf.get(socket)?.viewer ?? null
    return prepare(this.#schema, this.#contexts, originOf(null, this.#clientOf(request)), viewer, payload)
  }
}
