/** Which provider a request is passed on to: the contract's "Endpoints". */
import { DEFAULT_STICKY, GatewayError } from '@millrace/shared'

import type { CompiledAccess } from '../access/access.ts'
import { credentialsFor } from '../routing/credentials.ts'
import { find, type Found } from '../routing/found.ts'
import type { CompiledAlias, CompiledRoute, CompiledSnapshot } from '../snapshot/compiled.ts'
import { keepsState } from './rules.ts'

/** What there is to choose by. */
export interface PassedRequest {
  readonly method: string
  readonly endpoint: string
  /** As body or query name it; empty: they do not. */
  readonly model: string
  /** Whether it concerns what is kept at the provider. */
  readonly keepsState: boolean
  /** Whether it has a body that is not read. */
  readonly unread: boolean
  /** The name of a provider, from `x-millrace-provider`; null: it names none. */
  readonly provider: string | null
  readonly projectId: string
  readonly access: CompiledAccess | null
  /** Whether the client brings an upstream key. */
  readonly ownKey: boolean
}

/**
 * What can be told before a body is read.
 * @throws GatewayError if nobody is asked for such a path, or not for this token
 */
export function checkPath(
  method: string,
  endpoint: string,
  token: CompiledAccess | null,
  snapshot: CompiledSnapshot,
): void {
  // It would bring back the request as it was sent, the upstream key with it.
  if (method === 'TRACE' || !isListed(method, endpoint, snapshot)) throw notFound(method, endpoint)
  if (keepsState(method, endpoint)) checkState(endpoint, token)
}

/**
 * Finds who may be asked: an alias of the routes that lead there.
 * @throws GatewayError that says what is lacking
 */
export function choosePassed(request: PassedRequest, snapshot: CompiledSnapshot): Found {
  const { endpoint, model, access } = request
  if (request.keepsState) checkState(endpoint, access)
  if (model !== '') return byModel(request, snapshot)
  if (access !== null && access.limitsModels)
    throw new GatewayError(
      'model_not_allowed',
      'This API key is for certain models only: name one of them, as "model".',
      { param: 'model' },
    )
  return request.provider === null ? theOnlyOne(request, snapshot) : byName(request, request.provider, snapshot)
}

function checkState(endpoint: string, access: CompiledAccess | null): void {
  if (access === null || !access.limitsModels) return
  throw new GatewayError(
    'endpoint_not_found',
    `${shown(endpoint)} keeps state, for all models: it is not open to an API key that is for certain models only.`,
  )
}

function isListed(method: string, endpoint: string, { passed }: CompiledSnapshot): boolean {
  for (const { routes } of passed.values()) if (lists(routes[0]!, method, endpoint)) return true
  return false
}

function byModel(request: PassedRequest, snapshot: CompiledSnapshot): Found {
  const { method, endpoint, model, projectId } = request
  const found = find(snapshot, projectId, model)
  if (found === null)
    throw new GatewayError(
      'model_not_found',
      `The model "${shown(model)}" does not exist, or this API key cannot use it.`,
      { param: 'model' },
    )
  const listed = found.alias.routes.filter((route) => lists(route, method, endpoint))
  if (listed.length === 0) throw unsupported(request, `the provider of "${shown(model)}"`)
  const routes = listed.filter((route) => hasAccount(route, request))
  if (routes.length === 0) throw withoutAccount(request)
  // What a path takes says nothing of how fast the model answers, nor is anybody bound to its provider by it.
  const passed = routes.map((route) => ({ ...route, health: healthOf(route, snapshot) }))
  return { ...found, alias: { ...found.alias, routes: passed, sticky: DEFAULT_STICKY, hedge: null, hedges: null } }
}

function byName(request: PassedRequest, name: string, snapshot: CompiledSnapshot): Found {
  const { method, endpoint } = request
  for (const alias of snapshot.passed.values()) {
    const route = alias.routes[0]!
    if (route.provider.name !== name || !lists(route, method, endpoint)) continue
    if (!hasAccount(route, request)) throw withoutAccount(request)
    return foundAt(alias)
  }
  throw unsupported(request, `the provider "${shown(name)}"`)
}

function theOnlyOne(request: PassedRequest, { passed }: CompiledSnapshot): Found {
  const { method, endpoint, ownKey } = request
  if (ownKey)
    throw new GatewayError(
      'header_required',
      'Name the provider that your upstream key is for, as "x-millrace-provider".',
    )
  let only: CompiledAlias | null = null
  for (const alias of passed.values()) {
    const route = alias.routes[0]!
    if (!lists(route, method, endpoint) || !hasAccount(route, request)) continue
    if (only !== null)
      throw new GatewayError(
        'header_required',
        `Several providers can be asked for ${shown(endpoint)}: name one as "x-millrace-provider", or a model ${request.unread ? 'in the query, ' : ''}as "model".`,
      )
    only = alias
  }
  if (only === null) throw withoutAccount(request)
  return foundAt(only)
}

function foundAt(alias: CompiledAlias): Found {
  return { alias, model: '', matched: null }
}

function lists({ connection, enabled }: CompiledRoute, method: string, endpoint: string): boolean {
  return (
    enabled && connection !== null && connection.passthrough !== null && connection.passthrough.lists(method, endpoint)
  )
}

/** Whether there is an account at the provider to ask with: for what is kept there, one that is nobody else's. */
function hasAccount({ provider }: CompiledRoute, { keepsState: kept, projectId, ownKey }: PassedRequest): boolean {
  if (ownKey) return true
  if (kept) return (provider.projectCredentials.get(projectId)?.length ?? 0) > 0
  return !provider.needsCredential || credentialsFor(provider, projectId).length > 0
}

function healthOf({ provider, health }: CompiledRoute, { passed }: CompiledSnapshot): CompiledRoute['health'] {
  return passed.get(provider.id)?.routes[0]!.health ?? health
}

function notFound(method: string, endpoint: string): GatewayError {
  return new GatewayError('endpoint_not_found', `There is no ${method} ${shown(endpoint)} here.`)
}

function unsupported({ method, endpoint }: PassedRequest, who: string): GatewayError {
  return new GatewayError('unsupported_endpoint', `${method} ${shown(endpoint)} cannot be asked of ${who}.`)
}

function withoutAccount({ endpoint, keepsState: kept }: PassedRequest): GatewayError {
  const message = kept
    ? `${shown(endpoint)} keeps state at the provider: it needs an upstream key of your project, or one of your own.`
    : `There is no upstream key to ask for ${shown(endpoint)} with.`
  return new GatewayError('unsupported_endpoint', message)
}

function shown(text: string): string {
  return text.slice(0, 200)
}
