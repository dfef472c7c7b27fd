/** What a request can be refused for before any provider is asked. */
import { GatewayError } from '@millrace/shared'

/** It makes no sense. @param param what is wrong, as OpenAI names it: `messages[2].role` */
export function wrong(param: string, message: string): GatewayError {
  return new GatewayError('param_not_allowed', message, { param })
}

/** It cannot be said to the provider, and nobody would want it left out. @param param as {@link wrong} takes it */
export function unsayable(param: string, message: string): GatewayError {
  return new GatewayError('unsupported_endpoint', message, { param })
}

/**
 * What `read` makes of a part of the request, which may be nested deeper than the stack goes.
 * @throws GatewayError param_not_allowed where it is
 */
export function unlessTooDeep<T>(param: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw wrong(param, 'The request is nested too deep.')
  }
}
