/** GraphQL over HTTP, by Apollo Server. */
import { ApolloServer, HeaderMap, type ApolloServerPlugin } from '@apollo/server'
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled'
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import { assertBodySize, HTTPError, type H3Event } from 'h3'
import type { Logger } from 'pino'

import { tooManyFailures, type Door, type Entry } from '../access/door.ts'
import type { Context } from './context.ts'
import { badInput, toClientError, withoutInternals } from './errors.ts'
import { finishedTold, type FinishedOperation } from './finished.ts'
import { depthRule, MAX_TOKENS, operationError } from './limits.ts'
import { nameValues } from './literals.ts'
import { originOf, type ContextFactory } from './operation.ts'

/** A batch of records is the largest thing that comes. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

export class GraphqlOverHttp {
  readonly #apollo: ApolloServer<Context>
  readonly #door: Door
  readonly #contexts: ContextFactory
  readonly #log: Logger

  /** @param finished told of each operation that is over */
  constructor(
    schema: GraphQLSchema,
    door: Door,
    contexts: ContextFactory,
    log: Logger,
    finished: (operation: FinishedOperation) => void,
  ) {
    this.#door = door
    this.#contexts = contexts
    this.#log = log
    this.#apollo = new ApolloServer<Context>({
      schema,
      introspection: true,
      csrfPrevention: true,
      allowBatchedHttpRequests: false,
      persistedQueries: false,
      includeStacktraceInErrorResponses: false,
      stopOnTerminationSignals: false,
      parseOptions: { maxLexicalTokens: MAX_TOKENS },
      maxRecursiveSelections: true,
      validationRules: [depthRule],
      plugins: [
        valuesNamed(schema),
        operationLimit(schema),
        internalsMasked,
        finishedTold(finished),
        ApolloServerPluginLandingPageDisabled(),
      ],
      formatError: coded,
      logger: log,
      nodeEnv: 'production',
    })
  }

  start(): Promise<void> {
    return this.#apollo.start()
  }

  /** Waits for the operations under way. */
  stop(): Promise<void> {
    return this.#apollo.stop()
  }

  async handle(event: H3Event): Promise<Response> {
    const { req } = event
    const client = this.#door.clientOf(req.ip, req.headers.get('x-forwarded-for') ?? undefined)
    const origin = originOf(req.headers.get('x-request-id'), client)
    const answer = (status: number, headers: Iterable<readonly [string, string]>, body: string): Response =>
      new Response(body, { status, headers: [...headers, ['x-request-id', origin.requestId]] as [string, string][] })
    const refuse = (status: number, error: GraphQLError, ...headers: [string, string][]): Response =>
      answer(
        status,
        [['content-type', 'application/json; charset=utf-8'], ...headers],
        JSON.stringify({ errors: [error] }),
      )

    let entry: Entry
    try {
      entry = await this.#door.enter(req.headers.get('authorization'), client, origin, 'HTTP')
    } catch (error) {
      return refuse(503, toClientError(error, origin.requestId, this.#log))
    }
    if (entry.waitMs > 0)
      return refuse(429, tooManyFailures(), ['retry-after', String(Math.ceil(entry.waitMs / 1_000))])
    const { viewer } = entry
    let body: unknown
    try {
      body = await jsonBody(event)
    } catch (error) {
      if (!HTTPError.isError(error) || error.status !== 413) throw error
      return refuse(413, badInput('query', `the request must have at most ${MAX_BODY_BYTES} bytes`))
    }
    const result = await this.#apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: req.method,
        headers: new HeaderMap(req.headers),
        search: new URL(req.url).search,
        body,
      },
      context: () => Promise.resolve(this.#contexts.make(origin, viewer)),
    })
    // Chunks come with @defer and @stream alone, which the schema doesn't have.
    return answer(result.status ?? 200, result.headers, result.body.kind === 'complete' ? result.body.string : '')
  }
}

/**
 * Undefined where there is none, or no JSON: Apollo says what is wrong.
 * @throws HTTPError 413
 */
async function jsonBody(event: H3Event): Promise<unknown> {
  if (event.req.method === 'GET') return undefined
  assertBodySize(event, MAX_BODY_BYTES)
  const text = await event.req.text()
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function valuesNamed(schema: GraphQLSchema): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      return {
        async validationDidStart({ document }) {
          return async (errors = []) =>
            nameValues(
              schema,
              document,
              errors.filter((error) => error instanceof GraphQLError),
            )
        },
      }
    },
  }
}

function operationLimit(schema: GraphQLSchema): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ request, document }) {
          const error = operationError(schema, document, request.operationName, request.variables)
          if (error)
            throw new GraphQLError(error.message, { extensions: { ...error.extensions, http: { status: 400 } } })
        },
      }
    },
  }
}

const internalsMasked: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async willSendResponse({ response: { body }, contextValue: { origin, log } }) {
        if (body.kind !== 'single' || !body.singleResult.errors) return
        body.singleResult.errors = body.singleResult.errors.map((error) =>
          withoutInternals(error, origin.requestId, log),
        )
      },
    }
  },
}

/** What is no GraphQL request at all, and whatever fails validation, has a code of Apollo's own. */
function coded(error: GraphQLFormattedError): GraphQLFormattedError {
  const { code, field } = error.extensions ?? {}
  if (code === 'BAD_REQUEST') return { ...error, extensions: { code: 'BAD_USER_INPUT', field: 'query' } }
  if (code === 'GRAPHQL_VALIDATION_FAILED' && field !== undefined)
    return { ...error, extensions: { ...error.extensions, code: 'BAD_USER_INPUT' } }
  return error
}
