/** What tests tell the control plane to do, in the words of its API. */
import type {
  Access,
  BreakerPolicy,
  BudgetPolicy,
  CachePolicy,
  HedgePolicy,
  Limits,
  ProviderKind,
  RetryPolicy,
  RoutingStrategy,
  StickyPolicy,
  Timeouts,
} from '@millrace/shared'

import type { ControlProcess } from './control.ts'
import { uniqueName } from './names.ts'

export interface ProviderOptions {
  readonly name?: string
  readonly kind?: ProviderKind
  readonly apiKeys?: readonly string[]
  readonly timeouts?: Partial<Timeouts>
  readonly settings?: Readonly<Record<string, unknown>>
  readonly enabled?: boolean
  readonly direct?: boolean
  readonly maxConcurrency?: number
  readonly breaker?: Partial<BreakerPolicy>
  readonly access?: Partial<Access>
}

export interface RouteOptions {
  readonly provider: string
  readonly name?: string
  readonly providerModel?: string | null
  readonly priority?: number
  readonly weight?: number
  readonly enabled?: boolean
  readonly condition?: Readonly<Record<string, unknown>>
  /** USD per million tokens. */
  readonly inputPrice?: string
  readonly outputPrice?: string
  readonly cachedInputPrice?: string
}

export interface AliasOptions {
  /** The project's id; absent: every project's. */
  readonly project?: string
  readonly strategy?: RoutingStrategy
  readonly sticky?: Partial<StickyPolicy>
  readonly retry?: Partial<RetryPolicy>
  readonly hedge?: Partial<HedgePolicy>
  readonly cache?: Partial<CachePolicy>
  readonly timeouts?: Partial<Timeouts>
  readonly unknownParameters?: 'DROP' | 'REFUSE'
}

export interface TokenOptions {
  readonly name?: string
  readonly project: string
  readonly expiresAt?: string
  readonly access?: Partial<Access>
  readonly maxRequests?: number
  readonly limits?: Partial<Limits>
  readonly budget?: BudgetPolicy
}

/** The upstream key that a provider has unless told otherwise. */
export const UPSTREAM_KEY = 'sk-upstream-0123456789abcdef'

/** As the default, but that a test need not wait half a second for each try. */
export const QUICK_RETRY: Partial<RetryPolicy> = { initialBackoffMs: 10 }

/** Makes a provider and returns its id. */
export async function createProvider(
  control: ControlProcess,
  baseUrl: string | null,
  options: ProviderOptions = {},
): Promise<string> {
  const { name = uniqueName('provider'), kind = 'OPENAI_COMPATIBLE', apiKeys = [UPSTREAM_KEY], ...rest } = options
  const { createProvider: made } = await control.gql<{ createProvider: { id: string } }>(
    'mutation ($input: CreateProviderInput!) { createProvider(input: $input) { id } }',
    { input: { name, kind, baseUrl, ...(kind === 'SIMULATED' ? {} : { apiKeys }), ...rest } },
  )
  return made.id
}

/** An upstream key more, for one project or for all. Returns its id. */
export async function addCredential(
  control: ControlProcess,
  provider: string,
  apiKey: string,
  project?: string,
): Promise<string> {
  const { addCredential: made } = await control.gql<{ addCredential: { id: string } }>(
    'mutation ($provider: ID!, $input: CredentialInput!) { addCredential(provider: $provider, input: $input) { id } }',
    { provider, input: { apiKey, ...(project === undefined ? {} : { project }) } },
  )
  return made.id
}

/** Makes an alias and returns its id. @param routes as text: the one provider */
export async function createAlias(
  control: ControlProcess,
  name: string,
  routes: string | readonly RouteOptions[],
  options: AliasOptions = {},
): Promise<string> {
  const list = typeof routes === 'string' ? [{ provider: routes }] : routes
  const { createAlias: made } = await control.gql<{ createAlias: { id: string } }>(
    'mutation ($input: CreateAliasInput!) { createAlias(input: $input) { id } }',
    { input: { name, routes: list, ...options } },
  )
  return made.id
}

/** Makes a token and returns its id and secret. */
export async function createToken(
  control: ControlProcess,
  options: TokenOptions,
): Promise<{ id: string; secret: string }> {
  const { name = uniqueName('token'), ...rest } = options
  const { createToken: made } = await control.gql<{ createToken: { secret: string; token: { id: string } } }>(
    'mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret token { id } } }',
    { input: { name, ...rest } },
  )
  return { id: made.token.id, secret: made.secret }
}

/** Makes a project and returns its id. */
export async function createProject(control: ControlProcess, name = uniqueName('project')): Promise<string> {
  const { createProject: made } = await control.gql<{ createProject: { id: string } }>(
    'mutation ($input: CreateProjectInput!) { createProject(input: $input) { id } }',
    { input: { name } },
  )
  return made.id
}

/** What an operator says over a breaker's own judgement; CLOSED hands it back. */
export async function setBreaker(
  control: ControlProcess,
  provider: string,
  state: 'FORCED_OPEN' | 'FORCED_CLOSED' | 'CLOSED',
): Promise<void> {
  await control.gql(
    'mutation ($provider: ID!, $state: BreakerState!) { setBreaker(provider: $provider, state: $state) { state } }',
    { provider, state },
  )
}
