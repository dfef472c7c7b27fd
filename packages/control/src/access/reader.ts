/** Who reads by plain HTTP, beside GraphQL: with a key of VIEWER or more. */
import type { IncomingMessage } from 'node:http'

import type { GraphQLError } from 'graphql'
import type { Logger } from 'pino'

import type { Refusals } from '../audit/refusals.ts'
import { isUnavailable } from '../db/failure.ts'
import type { Origin } from '../graphql/context.ts'
import { forbidden, toClientError, unauthenticated } from '../graphql/errors.ts'
import { originOf } from '../graphql/operation.ts'
import type { Viewer } from './authenticate.ts'
import { tooManyFailures, type Door } from './door.ts'
import { reaches, Role } from './role.ts'

/** An answer that is an error, as GraphQL's own look: `{"errors": [{"message", "extensions": {"code", …}}]}`. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function refusalOf(
  status: number,
  error: Pick<GraphQLError, 'message' | 'extensions'>,
  { requestId }: Origin,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...headers,
    },
    body: `${JSON.stringify({ errors: [error] })}\n`,
  }
}

export class ReaderDoor {
  readonly #door: Door
  readonly #refusals: Refusals
  readonly #log: Logger

  constructor(door: Door, refusals: Refusals, log: Logger) {
    this.#door = door
    this.#refusals = refusals
    this.#log = log
  }

  originOf({ headers, socket }: IncomingMessage): Origin {
    const requestId = headers['x-request-id']
    const client = this.#door.clientOf(socket.remoteAddress, headers['x-forwarded-for'])
    return originOf(typeof requestId === 'string' ? requestId : null, client)
  }

  /**
   * Lets in whoever has a key that reads. What is refused leaves an audit event, as it does with GraphQL.
   * @param subject what is to be read, for the audit event: `Export.requests`
   */
  async enter({ headers, socket }: IncomingMessage, origin: Origin, subject: string): Promise<Viewer | Refusal> {
    const client = this.#door.clientOf(socket.remoteAddress, headers['x-forwarded-for'])
    try {
      const { viewer, waitMs } = await this.#door.enter(headers.authorization ?? null, client, origin, 'HTTP')
      if (waitMs > 0)
        return refusalOf(429, tooManyFailures(), origin, { 'retry-after': String(Math.ceil(waitMs / 1_000)) })
      if (viewer !== null && reaches(viewer.role, Role.VIEWER)) return viewer
      const actor = viewer && { name: viewer.name, keyId: viewer.id, scope: viewer.scope, ...origin }
      const code = viewer === null ? 'UNAUTHENTICATED' : 'FORBIDDEN'
      await this.#refusals.note(actor, origin, { subject, code })
      return viewer === null
        ? refusalOf(401, unauthenticated('an admin key is needed: authorization: Bearer …'), origin, {
            'www-authenticate': 'Bearer',
          })
        : refusalOf(403, forbidden(`not for a key of role ${viewer.role}`), origin)
    } catch (error) {
      return failureOf(error, origin, this.#log)
    }
  }
}

/** What is said where something has gone wrong before the answer began. What is not said goes to the log. */
export function failureOf(error: unknown, origin: Origin, log: Logger): Refusal {
  const status = isUnavailable(error) ? 503 : 500
  return refusalOf(
    status,
    toClientError(error, origin.requestId, log),
    origin,
    status === 503 ? { 'retry-after': '1' } : {},
  )
}

export function isRefusal(entered: Viewer | Refusal): entered is Refusal {
  return 'status' in entered
}
