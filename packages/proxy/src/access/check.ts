/** Asks a compiled policy about a request. */
import type { GatewayError } from '@millrace/shared'

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
  return access.modelRefusal(model) ?? (paramNames && access.paramRefusal(call.members(paramNames)))
}
