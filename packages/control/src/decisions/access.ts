/** What a policy of access says of a request that is to be explained. From where it would come, address and origin, is not known. */
import { AccessRules, type Access, type GatewayError } from '@millrace/shared'

const compiled = new WeakMap<Access, AccessRules>()

/** A request as far as policies ask for it. */
export interface AskedFor {
  readonly endpoint: string
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * In the order in which a proxy looks.
 * @param model what is asked for: of a proxy, or of a provider
 * @returns null if nothing that is known is against it
 */
export function accessRefusal(access: Access | null, asked: AskedFor, model: string): GatewayError | null {
  if (access === null) return null
  const rules = rulesOf(access)
  return (
    rules.endpointRefusal(asked.endpoint) ??
    // All that is routed.
    rules.methodRefusal('POST') ??
    rules.headerRefusal(asked.headers) ??
    rules.modelRefusal(model) ??
    rules.paramRefusal(new Map(Object.entries(asked.body).map(([name, value]) => [name, [value]])))
  )
}

function rulesOf(access: Access): AccessRules {
  let rules = compiled.get(access)
  if (rules === undefined) compiled.set(access, (rules = new AccessRules(access)))
  return rules
}
