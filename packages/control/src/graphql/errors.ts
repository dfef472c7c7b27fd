/**
 * What a client of this API is told when something goes wrong: one table of codes, on HTTP and WebSocket alike.
 * Never a stack trace, SQL or a secret.
 */
import { GraphQLError } from 'graphql'
import type { Logger } from 'pino'

import { duplicateMessage, isNulCharacter, isUnavailable } from '../db/failure.ts'

const CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'CONFLICT',
  'INTERNAL_SERVER_ERROR',
] as const
type Code = (typeof CODES)[number]

function clientError(code: Code, message: string, extensions: Readonly<Record<string, unknown>> = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...extensions } })
}

/** No key, or one that is unknown or revoked. */
export function unauthenticated(message: string): GraphQLError {
  return clientError('UNAUTHENTICATED', message)
}

/** A good key whose role does not reach so far. */
export function forbidden(message: string): GraphQLError {
  return clientError('FORBIDDEN', message)
}

/** @param field the argument at fault, dotted: `input.timeouts.connect` */
export function badInput(field: string, reason: string): GraphQLError {
  return clientError('BAD_USER_INPUT', `${field}: ${reason}`, { field })
}

/**
 * @param kind what was looked for: `provider`
 * @param field the argument that named it, where that is not the operation's own `id`
 */
export function notFound(kind: string, field?: string): GraphQLError {
  return clientError('NOT_FOUND', `there is no ${kind} of this id`, field === undefined ? {} : { field })
}

/** The operation is sound and what is there stands against it. */
export function conflict(message: string): GraphQLError {
  return clientError('CONFLICT', message)
}

/**
 * What a client is told of anything that was thrown. What it is not told goes to the log under the same request id.
 */
export function toClientError(error: unknown, requestId: string, log: Logger): GraphQLError {
  if (error instanceof GraphQLError) return error
  if (isNulCharacter(error)) return clientError('BAD_USER_INPUT', 'a text must not contain the character NUL')
  const duplicate = duplicateMessage(error)
  if (duplicate !== null) return conflict(duplicate)
  if (isUnavailable(error)) {
    log.warn({ requestId, reason: (error as Error).message }, 'the database does not answer')
    return clientError('INTERNAL_SERVER_ERROR', 'the database does not answer, try again', { requestId })
  }
  log.error({ err: error, requestId }, 'a request failed')
  return clientError('INTERNAL_SERVER_ERROR', 'internal error', { requestId })
}
