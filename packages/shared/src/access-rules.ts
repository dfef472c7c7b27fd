/** A policy of access, made ready to be asked of many requests. Both planes ask: the proxy refuses, control explains. */
import type { Access } from './access.ts'
import { GatewayError } from './error.ts'
import { GlobList } from './glob-list.ts'
import type { IpKey } from './ip-address.ts'
import { IpRanges } from './ip-ranges.ts'

/** Elements of a parameter that is a list: more are refused, so that a client can't make work of them. */
const MOST_ELEMENTS = 100
/** Of what a client wrote, in a message. */
const LONGEST_SHOWN = 200

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Each question gives the error that a request is refused with, or null. */
export class AccessRules {
  readonly ownKeys: boolean
  /** The body's members that {@link paramRefusal} asks for; null: none. */
  readonly paramNames: ReadonlySet<string> | null
  readonly #models: GlobList | null
  readonly #endpoints: GlobList | null
  readonly #methods: readonly string[] | null
  readonly #origins: GlobList | null
  readonly #addresses: IpRanges | null
  readonly #params: ReadonlyMap<string, GlobList> | null
  readonly #headers: readonly string[]

  constructor({ models, endpoints, methods, origins, ipRanges, params, requiredHeaders, ownKeys }: Access) {
    this.ownKeys = ownKeys
    this.#models = models && new GlobList(models)
    this.#endpoints = endpoints && new GlobList(endpoints)
    this.#methods = methods
    this.#origins = origins && new GlobList(origins)
    this.#addresses = ipRanges && new IpRanges(ipRanges)
    this.#params = params && new Map(Object.entries(params).map(([name, globs]) => [name, new GlobList(globs)]))
    this.paramNames = this.#params && new Set(this.#params.keys())
    this.#headers = requiredHeaders ?? []
  }

  /** Whether {@link addressRefusal} needs to know the address. */
  get asksForAddress(): boolean {
    return this.#addresses !== null
  }

  /** Whether it is for certain models only. */
  get limitsModels(): boolean {
    return this.#models !== null
  }

  allowsModel(model: string): boolean {
    return this.#models === null || this.#models.has(model)
  }

  /** @param origin null: the request names none */
  allowsOrigin(origin: string | null): boolean {
    return this.#origins === null || (origin !== null && this.#origins.has(origin))
  }

  endpointRefusal(endpoint: string): GatewayError | null {
    if (this.#endpoints === null || this.#endpoints.has(endpoint)) return null
    return new GatewayError('endpoint_not_found', `${shown(endpoint)} is not open to this request.`)
  }

  methodRefusal(method: string): GatewayError | null {
    if (this.#methods === null || this.#methods.includes(method)) return null
    const allow = this.#methods.join(', ')
    return new GatewayError('method_not_allowed', `Only ${allow} is allowed.`, { allow })
  }

  /** @param address null: nothing is known of it */
  addressRefusal(address: IpKey | null): GatewayError | null {
    if (this.#addresses === null || (address !== null && this.#addresses.has(address))) return null
    return new GatewayError('ip_not_allowed', 'Requests from this address are not allowed.')
  }

  originRefusal(origin: string | null): GatewayError | null {
    if (this.allowsOrigin(origin)) return null
    const which = origin === null ? 'without an "Origin" header' : 'from this origin'
    return new GatewayError('origin_not_allowed', `Requests ${which} are not allowed.`)
  }

  /** @param headers by their names in lower case */
  headerRefusal(headers: Headers): GatewayError | null {
    for (const name of this.#headers) {
      const value = headers[name]
      if (typeof value !== 'string' || value === '')
        return new GatewayError('header_required', `The header "${name}" is required.`)
    }
    return null
  }

  modelRefusal(model: string): GatewayError | null {
    if (this.allowsModel(model)) return null
    return new GatewayError('model_not_allowed', `The model "${shown(model)}" is not allowed.`, {
      param: 'model',
    })
  }

  /** @param members the values that the body has under each of {@link paramNames}; a name may occur twice */
  paramRefusal(members: ReadonlyMap<string, readonly unknown[]>): GatewayError | null {
    if (this.#params === null) return null
    for (const [name, values] of members) {
      const globs = this.#params.get(name)
      if (globs === undefined || values.every((value) => allows(globs, value))) continue
      return new GatewayError('param_not_allowed', `This value of "${name}" is not allowed.`, { param: name })
    }
    return null
  }
}

/** Of a list each element must be allowed. What is nested deeper has no text to be compared by. */
function allows(globs: GlobList, value: unknown): boolean {
  if (!Array.isArray(value)) return allowsScalar(globs, value)
  return value.length <= MOST_ELEMENTS && value.every((element) => allowsScalar(globs, element))
}

function allowsScalar(globs: GlobList, value: unknown): boolean {
  if (typeof value === 'string') return globs.has(value)
  return (value === null || typeof value !== 'object') && globs.has(String(value))
}

function shown(text: string): string {
  return text.slice(0, LONGEST_SHOWN)
}
