/** What an operation over HTTP came to, for the log and for metrics: nothing of what it asked, or was told. */
import type { ApolloServerPlugin } from '@apollo/server'
import type { OperationTypeNode } from 'graphql'

import type { Context } from './context.ts'

const LONGEST_NAME = 100
/** Longer than whatever waits on purpose: a purge for its proxies. */
const SLOW_MS = 3_000

export interface FinishedOperation {
  /** Unknown: it was refused before that was read. */
  readonly kind: OperationTypeNode | 'unknown'
  /** `ok`, or the code of the first error. */
  readonly outcome: string
  readonly ms: number
}

/** Tells of each operation, and logs it under its request id: at debug level, as a warning if it was slow. */
export function finishedTold(tell: (operation: FinishedOperation) => void): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      const began = performance.now()
      return {
        async willSendResponse({ operation, response: { body }, contextValue: { origin, log } }) {
          const [error] = (body.kind === 'single' && body.singleResult.errors) || []
          const code = error?.extensions?.['code']
          const outcome = typeof code === 'string' ? code : error ? 'unknown' : 'ok'
          const ms = Math.round((performance.now() - began) * 10) / 10
          const kind = operation?.operation
          tell({ kind: kind ?? 'unknown', outcome, ms })
          const name = operation?.name?.value.slice(0, LONGEST_NAME)
          const line = { requestId: origin.requestId, operation: name, kind, outcome, ms }
          if (ms > SLOW_MS) log.warn(line, 'a slow operation')
          else log.debug(line, 'an operation')
        },
      }
    },
  }
}
