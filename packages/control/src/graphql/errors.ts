/**
 * What a client of this API is told when something goes wrong: one table of codes, on HTTP and WebSocket alike.
 * Never a stack trace, SQL or a secret.
 */
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import type { Logger } from 'pino'

import { duplicateMessage, isLockTimeout, isNulCharacter, isUnavailable } from '../db/failure.ts'
import { NoPlace } from '../db/places.ts'
import { TurnTimeout } from '../db/turns.ts'

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

/** What an argument named there is, or was, but not for this operation. */
export function notThere(message: string, field: string): GraphQLError {
  return clientError('NOT_FOUND', message, { field })
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
  const passing = passingReason(error)
  if (passing !== null) {
    log.warn({ requestId, reason: (error as Error).message }, passing)
    return clientError('INTERNAL_SERVER_ERROR', `${passing}, try again`, { requestId })
  }
  log.error({ err: error, requestId }, 'a request failed')
  return clientError('INTERNAL_SERVER_ERROR', 'internal error', { requestId })
}

/** What is wrong for now, where trying again may help; else null. */
function passingReason(error: unknown): string | null {
  if (error instanceof TurnTimeout) return 'too many changes of configuration are waiting'
  if (error instanceof NoPlace) return 'too many ask for the same'
  if (isLockTimeout(error)) return 'another change of configuration takes too long'
  return isUnavailable(error) ? 'the database does not answer' : null
}

/**
 * What a client is told of an error as it stands in an answer. One that did not come from {@link toClientError} is a
 * fault of ours, a value that the schema doesn't allow, for one: it goes to the log.
 */
export function withoutInternals(error: GraphQLFormattedError, requestId: string, log: Logger): GraphQLFormattedError {
  const code = error.extensions?.['code']
  if (code !== undefined && code !== 'INTERNAL_SERVER_ERROR') return error
  if (error.extensions?.['requestId'] !== undefined) return error
  log.error({ requestId, path: error.path, reason: error.message }, 'an answer could not be made')
  return { ...error, message: 'internal error', extensions: { code: 'INTERNAL_SERVER_ERROR', requestId } }
}
