/** Asks a compiled policy about a request. */
import { GatewayError } from '@millrace/shared'

import type { Call } from '../endpoints/endpoint.ts'
import { textHeader } from '../request/client-headers.ts'
import type { Exchange } from '../request/exchange.ts'
import type { CompiledAccess } from './access.ts'

/** What can be told before the body is read. @returns null if the request may go on */
export function headRefusal(access: CompiledAccess, exchange: Exchange): GatewayError | null {
  const { endpoint, req } = exchange
  return (
    access.endpointRefusal(endpoint) ??
    access.methodRefusal(req.method ?? '') ??
    access.addressRefusal(access.asksForAddress ? exchange.clientIp : null) ??
    access.originRefusal(textHeader(req.headers, 'origin')) ??
    access.headerRefusal(req.headers)
  )
}

/** What the body tells. @param model what is asked for: of the gateway, or of a provider */
export function bodyRefusal(access: CompiledAccess, call: Call, model: string): GatewayError | null {
  const { paramNames } = access
  const unread = call.unread === true ? unreadRefusal(access) : null
  if (unread !== null) return unread
  return access.modelRefusal(model) ?? (paramNames && access.paramRefusal(call.members(paramNames)))
}

/** What a body that is not read can't be held to. */
function unreadRefusal({ limitsModels, paramNames }: CompiledAccess): GatewayError | null {
  if (limitsModels)
    return new GatewayError(
      'model_not_allowed',
      'Access here is to certain models only, and a body that is not plain JSON is passed on unread: it may name another.',
      { param: 'model' },
    )
  if (paramNames === null) return null
  const [param] = paramNames
  return new GatewayError(
    'param_not_allowed',
    `Access here is bound to certain values of "${param}", and a body that is not plain JSON is passed on unread.`,
    param === undefined ? {} : { param },
  )
}
