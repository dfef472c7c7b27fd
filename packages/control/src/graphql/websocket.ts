/** GraphQL over WebSocket (graphql-ws), under the rules that hold on HTTP. */
import type { IncomingMessage, Server } from 'node:http'

import type { IpKey } from '@millrace/shared'
import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type ExecutionArgs,
  type FormattedExecutionResult,
  type GraphQLSchema,
} from 'graphql'
import {
  CloseCode,
  type Context as SocketContext,
  type ExecutionResult as OperationResult,
  type SubscribePayload,
} from 'graphql-ws'
import { useServer, type Extra } from 'graphql-ws/use/ws'
import type { Logger } from 'pino'
import { WebSocketServer, type WebSocket } from 'ws'

import type { Authenticator, Viewer } from '../access/authenticate.ts'
import { tooManyFailures, type Door } from '../access/door.ts'
import { isUnavailable } from '../db/failure.ts'
import type { Context } from './context.ts'
import { withoutInternals } from './errors.ts'
import { depthRule, MAX_TOKENS, operationError } from './limits.ts'
import { nameValues } from './literals.ts'
import { originOf, type ContextFactory } from './operation.ts'

const KEY_NEEDED = 'an admin key is needed: {"authorization": "Bearer …"}'
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
/** RFC 6455 and IANA's registry: try again later. Clients of graphql-ws do. */
const TRY_AGAIN_LATER = 1013
/** How long a client may take to answer the closing of its socket. */
const CLOSE_TIMEOUT_MS = 2_000

/** How long a key's sockets may outlive its being revoked. */
const REVOCATION_CHECK_MS = 1_000

type Params = Record<string, unknown>
type Socket = SocketContext<Params, Extra & Partial<Params>>

export class GraphqlOverWebSocket {
  readonly #schema: GraphQLSchema
  readonly #authenticator: Authenticator
  readonly #door: Door
  readonly #contexts: ContextFactory
  readonly #log: Logger
  readonly #viewers = new Map<WebSocket, Viewer>()
  readonly #sockets: WebSocketServer
  readonly #revocationCheck: NodeJS.Timeout
  readonly #graphql: { dispose(): void | Promise<void> }

  constructor(
    server: Server,
    path: string,
    schema: GraphQLSchema,
    authenticator: Authenticator,
    door: Door,
    contexts: ContextFactory,
    log: Logger,
  ) {
    this.#schema = schema
    this.#authenticator = authenticator
    this.#door = door
    this.#contexts = contexts
    this.#log = log
    this.#sockets = new WebSocketServer({ server, path, maxPayload: MAX_MESSAGE_BYTES })
    this.#graphql = useServer<Params, Params>(
      {
        schema,
        onConnect: (socket) => this.#connect(socket),
        onSubscribe: (socket, _id, payload) => this.#operation(socket, payload),
        onNext: (_socket, _id, _payload, { contextValue }, result) => withMaskedErrors(result, contextValue as Context),
        onClose: (socket) => void this.#viewers.delete(socket.extra.socket),
        isProd: true,
      },
      this.#sockets,
    )
    this.#revocationCheck = setInterval(() => void this.#closeRevoked(), REVOCATION_CHECK_MS)
  }

  /** Closes all sockets with 1001, and takes no more. */
  async close(): Promise<void> {
    clearInterval(this.#revocationCheck)
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
      // It may have gone meanwhile, and would never be taken out again.
      if (viewer && socket.readyState === socket.OPEN) this.#viewers.set(socket, viewer)
      if (!viewer) socket.close(CloseCode.Forbidden, waitMs > 0 ? tooManyFailures().message : KEY_NEEDED)
      return viewer !== null
    } catch (error) {
      if (!isUnavailable(error)) this.#log.error({ err: error }, 'a connection failed')
      socket.close(TRY_AGAIN_LATER, 'the database does not answer')
      return false
    }
  }

  #clientOf({ socket, headers }: IncomingMessage): IpKey | null {
    return this.#door.clientOf(socket.remoteAddress, headers['x-forwarded-for'])
  }

  /** Closes the sockets whose key was revoked since they were opened. */
  async #closeRevoked(): Promise<void> {
    if (this.#viewers.size === 0) return
    try {
      const revoked = await this.#authenticator.revoked([...new Set([...this.#viewers.values()].map(({ id }) => id))])
      for (const [socket, { id }] of this.#viewers)
        if (revoked.has(id)) {
          // Until the client has answered the closing, its messages still come.
          this.#viewers.delete(socket)
          socket.close(CloseCode.Forbidden, 'the key was revoked')
        }
    } catch (error) {
      this.#log.debug({ reason: (error as Error).message }, 'cannot look for revoked keys')
    }
  }

  #operation(
    { extra: { socket, request } }: Socket,
    payload: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    const { operationName, variables } = payload
    let document
    try {
      document = parse(payload.query, { maxLexicalTokens: MAX_TOKENS })
    } catch (error) {
      // Deep enough, a document costs the parser its stack.
      const fault = error instanceof GraphQLError ? error : new GraphQLError('the document cannot be read')
      return [coded(fault, 'GRAPHQL_PARSE_FAILED')]
    }
    const errors = validate(this.#schema, document, [...specifiedRules, depthRule])
    nameValues(this.#schema, document, errors)
    if (errors.length > 0) return errors.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED'))
    const operation = getOperationAST(document, operationName)
    if (!operation) return [coded(new GraphQLError('there is no such operation'), 'OPERATION_RESOLUTION_FAILURE')]
    const refusal = operationError(this.#schema, document, operationName, variables)
    if (refusal) return [refusal]
    const origin = originOf(null, this.#clientOf(request))
    const viewer = this.#viewers.get(socket) ?? null
    return {
      schema: this.#schema,
      document,
      contextValue:
        operation.operation === OperationTypeNode.SUBSCRIPTION
          ? this.#contexts.makeForFeed(origin, viewer)
          : this.#contexts.make(origin, viewer),
      ...(operationName == null ? {} : { operationName }),
      ...(variables == null ? {} : { variableValues: variables }),
    }
  }
}

/** With a code, unless it has one. */
function coded(error: GraphQLError, code: string): GraphQLError {
  if (error.extensions['code'] === undefined) error.extensions['code'] = code
  return error
}

function withMaskedErrors(
  result: Pick<OperationResult, 'errors'>,
  { origin, log }: Context,
): FormattedExecutionResult | undefined {
  if (!result.errors) return undefined
  return { ...result, errors: result.errors.map((error) => withoutInternals(error.toJSON(), origin.requestId, log)) }
}
