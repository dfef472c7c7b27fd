/** What comes in by a socket or a stream, made ready to run under the rules that hold on HTTP. */
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

import type { Viewer } from '../access/authenticate.ts'
import type { Context, Origin } from './context.ts'
import { withoutInternals } from './errors.ts'
import { depthRule, MAX_TOKENS, operationError } from './limits.ts'
import { nameValues } from './literals.ts'
import type { ContextFactory } from './operation.ts'

export interface Asked {
  readonly query: string
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
}

/** As graphql-js runs it, or why it is not run. */
export function prepare(
  schema: GraphQLSchema,
  contexts: ContextFactory,
  origin: Origin,
  viewer: Viewer | null,
  { query, operationName, variables }: Asked,
): ExecutionArgs | readonly GraphQLError[] {
  let document
  try {
    document = parse(query, { maxLexicalTokens: MAX_TOKENS })
  } catch (error) {
    // Deep enough, a document costs the parser its stack.
    const fault = error instanceof GraphQLError ? error : new GraphQLError('the document cannot be read')
    return [coded(fault, 'GRAPHQL_PARSE_FAILED')]
  }
  const errors = validate(schema, document, [...specifiedRules, depthRule])
  nameValues(schema, document, errors)
  if (errors.length > 0) return errors.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED'))
  const operation = getOperationAST(document, operationName)
  if (!operation) return [coded(new GraphQLError('there is no such operation'), 'OPERATION_RESOLUTION_FAILURE')]
  const refusal = operationError(schema, document, operationName, variables)
  if (refusal) return [refusal]
  return {
    schema,
    document,
    contextValue:
      operation.operation === OperationTypeNode.SUBSCRIPTION
        ? contexts.makeForFeed(origin, viewer)
        : contexts.make(origin, viewer),
    ...(operationName == null ? {} : { operationName }),
    ...(variables == null ? {} : { variableValues: variables }),
  }
}

/** With a code, unless it has one. */
function coded(error: GraphQLError, code: string): GraphQLError {
  if (error.extensions['code'] === undefined) error.extensions['code'] = code
  return error
}

/** Undefined where there is nothing to mask. */
export function withMaskedErrors(
  result: { readonly errors?: readonly GraphQLError[] | undefined },
  { origin, log }: Pick<Context, 'origin' | 'log'>,
): FormattedExecutionResult | undefined {
  if (!result.errors) return undefined
  return { ...result, errors: result.errors.map((error) => withoutInternals(error.toJSON(), origin.requestId, log)) }
}
