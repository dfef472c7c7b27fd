import { baseUrlOf, newId, type BreakerState, type ProviderKind } from '@millrace/shared'

import type { Alias } from '../aliases/alias.entity.ts'
import type { Database } from '../db/database.ts'
import { badInput, conflict } from '../graphql/errors.ts'
import { readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { describeAccess, mergedAccess } from '../limits/access.input.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { readBaseUrl } from './base-url.ts'
import type { CredentialService } from './credential.service.ts'
import { Provider } from './provider.entity.ts'
import {
  createProviderInput,
  mergedBreaker,
  mergedSettings,
  mergedTimeouts,
  PROVIDER_DEFAULTS,
  settableState,
  updateProviderInput,
} from './provider.input.ts'
import type { CreateProviderInput, UpdateProviderInput } from './provider.type.ts'

/** What a base URL is like, where there is no other. */
const HINTS: Partial<Record<ProviderKind, string>> = {
  AZURE_OPENAI: ', such as https://RESOURCE.openai.azure.com',
  OPENAI_COMPATIBLE: ' without a preset in its settings',
}

/** Upstreams. */
export class ProviderService {
  readonly #database: Database
  readonly #credentials: CredentialService
  readonly #privateAllowed: boolean

  /** @param privateAllowed whether providers may live at private addresses */
  constructor(database: Database, credentials: CredentialService, privateAllowed: boolean) {
    this.#database = database
    this.#credentials = credentials
    this.#privateAllowed = privateAllowed
  }

  list(): Promise<Provider[]> {
    return this.#database.em().findAll(Provider, { orderBy: { name: 'asc' } })
  }

  findByName(name: string): Promise<Provider | null> {
    return this.#database.em().findOne(Provider, { name })
  }

  create(actor: Actor, input: CreateProviderInput): Promise<Provider> {
    return changeConfiguration(this.#database, actor, 'createProvider', (change) => this.add(change, input))
  }

  /** As {@link create}, within a change under way. */
  async add(change: Change, given: CreateProviderInput): Promise<Provider> {
    const input = readInput(createProviderInput, given)
    const { kind } = input
    const settings = mergedSettings(kind, {}, input.settings)
    const provider = Object.assign(new Provider(), {
      id: newId(),
      name: input.name,
      kind,
      baseUrl: this.#baseUrl(kind, settings, input.baseUrl),
      enabled: input.enabled ?? PROVIDER_DEFAULTS.enabled,
      direct: input.direct ?? PROVIDER_DEFAULTS.direct,
      maxConcurrency: input.maxConcurrency ?? null,
      timeouts: mergedTimeouts({}, input.timeouts),
      breaker: mergedBreaker({}, input.breaker),
      forcedBreaker: null,
      breakerSetAt: null,
      access: mergedAccess({}, input.access),
      settings,
    })
    change.em.persist(provider)
    change.created(subjectOf(provider), describe(provider))
    for (const [i, apiKey] of (input.apiKeys ?? []).entries()) {
      await this.#credentials.add(change, provider, { apiKey }, `input.apiKeys.${i}`)
    }
    return provider
  }

  update(actor: Actor, id: string, given: UpdateProviderInput): Promise<Provider> {
    const input = readInput(updateProviderInput, given)
    return changeConfiguration(this.#database, actor, 'updateProvider', async (change) => {
      const provider = await requireRow(change.em, Provider, id, 'provider')
      const before = describe(provider)
      const { kind, baseUrl: previousUrl } = provider
      const ownUrl = baseUrlOf(kind, provider.settings)
      provider.settings = mergedSettings(kind, provider.settings, input.settings)
      if (input.name !== undefined) provider.name = input.name
      if (input.enabled !== undefined) provider.enabled = input.enabled ?? PROVIDER_DEFAULTS.enabled
      // What its settings had said of where it lives, they say anew.
      const follows = previousUrl === ownUrl && baseUrlOf(kind, provider.settings) !== ownUrl
      if (input.baseUrl !== undefined || follows)
        provider.baseUrl = this.#baseUrl(kind, provider.settings, input.baseUrl)
      if (input.direct !== undefined) provider.direct = input.direct ?? PROVIDER_DEFAULTS.direct
      if (input.maxConcurrency !== undefined) provider.maxConcurrency = input.maxConcurrency
      provider.breaker = mergedBreaker(provider.breaker, input.breaker)
      provider.timeouts = mergedTimeouts(provider.timeouts, input.timeouts)
      provider.access = mergedAccess(provider.access, input.access)
      change.updated(subjectOf(provider), before, describe(provider))
      if (provider.baseUrl !== previousUrl) await this.#credentials.disableAll(change, provider)
      return provider
    })
  }

  remove(actor: Actor, id: string): Promise<boolean> {
    return changeConfiguration(this.#database, actor, 'deleteProvider', async (change) => {
      const provider = await requireRow(change.em, Provider, id, 'provider')
      change.deleted(subjectOf(provider), describe(provider))
      const users = await aliasesThatUse(change, provider)
      if (users.length > 0) throw conflict(`routes of these aliases use it: ${users.join(', ')}`)
      await this.#credentials.removeAll(change, provider)
      change.em.remove(provider)
      return true
    })
  }

  /**
   * Forces a provider's breaker, or with CLOSED hands it back to itself, to begin anew.
   * @throws GraphQLError BAD_USER_INPUT for a state that is the breaker's own
   */
  setBreaker(actor: Actor, id: string, given: BreakerState): Promise<Provider> {
    const state = readInput(settableState, given, 'state')
    const forced = state === 'CLOSED' ? null : state
    return changeConfiguration(this.#database, actor, 'setBreaker', async (change) => {
      const provider = await requireRow(change.em, Provider, id, 'provider', 'provider')
      if (forced !== null && forced === provider.forcedBreaker) return provider
      const before = describe(provider)
      provider.forcedBreaker = forced
      provider.breakerSetAt = new Date()
      change.updated(subjectOf(provider), before, describe(provider))
      return provider
    })
  }

  /** @param given null: where its settings say, or its kind */
  #baseUrl(kind: ProviderKind, settings: Provider['settings'], given: string | null | undefined): string | null {
    if (kind === 'SIMULATED') {
      if (given) throw badInput('input.baseUrl', 'is not for SIMULATED, which asks nobody')
      return null
    }
    const value = given ?? baseUrlOf(kind, settings)
    if (value === null) throw badInput('input.baseUrl', `is needed for ${kind}${HINTS[kind] ?? ''}`)
    const result = readBaseUrl(value, this.#privateAllowed)
    if ('fault' in result) throw badInput('input.baseUrl', result.fault)
    return result.baseUrl
  }
}

async function aliasesThatUse(change: Change, provider: Provider): Promise<string[]> {
  const rows = await change.em.execute<Pick<Alias, 'name'>[]>(
    'select distinct alias.name from route join alias on alias.id = route.alias_id where route.provider_id = ? order by alias.name',
    [provider.id],
  )
  return rows.map(({ name }) => name)
}

function subjectOf({ id, name }: Provider): Subject {
  return { kind: 'provider', name, identity: { id }, owners: null }
}

function describe(provider: Provider): Description {
  const { name, kind, baseUrl, enabled, direct, maxConcurrency } = provider
  const { timeouts, breaker, forcedBreaker, breakerSetAt, settings, access } = provider
  return {
    name,
    kind,
    baseUrl,
    enabled,
    direct,
    maxConcurrency,
    timeouts,
    breaker,
    forcedBreaker,
    breakerSetAt,
    settings,
    access: describeAccess(access),
  }
}
