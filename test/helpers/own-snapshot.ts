/** A configuration as a control plane publishes it, made without one. */
import {
  DEFAULT_BREAKER,
  DEFAULT_CACHE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  DEFAULT_TIMEOUTS,
  newId,
  newSecret,
  SNAPSHOT_FORMAT,
  TOKEN_PREFIX,
  type NewSecret,
  type Snapshot,
  type SnapshotAlias,
  type SnapshotProvider,
  type SnapshotRoute,
} from '@millrace/shared'

/** A provider that wants no key, but for what is told otherwise. */
export function ownProvider(
  fields: Partial<SnapshotProvider> & Pick<SnapshotProvider, 'name' | 'baseUrl'>,
): SnapshotProvider {
  return {
    id: newId(),
    kind: 'OPENAI_COMPATIBLE',
    enabled: true,
    timeouts: DEFAULT_TIMEOUTS,
    breaker: DEFAULT_BREAKER,
    forcedBreaker: null,
    breakerSetAt: null,
    direct: false,
    maxConcurrency: null,
    settings: {},
    access: null,
    credentials: [],
    ...fields,
  }
}

export function ownRoute(fields: Partial<SnapshotRoute> & Pick<SnapshotRoute, 'providerId'>): SnapshotRoute {
  return {
    id: newId(),
    providerModel: 'upstream-model',
    priority: 0,
    weight: 1,
    enabled: true,
    condition: null,
    inputPrice: null,
    outputPrice: null,
    cachedInputPrice: null,
    ...fields,
  }
}

/** An alias for every project, but for what is told otherwise. */
export function ownAlias(fields: Partial<SnapshotAlias> & Pick<SnapshotAlias, 'name' | 'routes'>): SnapshotAlias {
  return {
    id: newId(),
    projectId: null,
    enabled: true,
    strategy: 'WEIGHTED',
    sticky: DEFAULT_STICKY,
    retry: DEFAULT_RETRY,
    hedge: null,
    unknownParameters: 'DROP',
    cache: DEFAULT_CACHE,
    timeouts: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    ...fields,
  }
}

/** Providers, aliases for them, a project, and a token of that. */
export class OwnSnapshot {
  readonly #token: NewSecret = newSecret(TOKEN_PREFIX)
  readonly #ids = { project: newId(), token: newId() }
  readonly #providers: readonly SnapshotProvider[]
  readonly #aliases: readonly SnapshotAlias[]

  constructor(providers: readonly SnapshotProvider[], aliases: readonly SnapshotAlias[]) {
    this.#providers = providers
    this.#aliases = aliases
  }

  /** The token's secret. */
  get token(): string {
    return this.#token.secret
  }

  /** The same at each revision. */
  at(revision: number): Snapshot {
    const { project, token } = this.#ids
    return {
      format: SNAPSHOT_FORMAT,
      revision,
      providers: this.#providers,
      aliases: this.#aliases,
      projects: [{ id: project, name: 'own-project', active: true, limits: null, budget: null, used: null }],
      tokens: [
        {
          id: token,
          name: 'own-token',
          projectId: project,
          secrets: [{ prefix: this.#token.prefix, digest: this.#token.digest, until: null }],
          revoked: false,
          expiresAt: null,
          maxRequests: null,
          limits: null,
          budget: null,
          used: null,
          access: null,
        },
      ],
    }
  }
}

/** One provider that wants no key, and an alias for it. */
export class OwnConfiguration extends OwnSnapshot {
  readonly alias = 'own-alias'

  constructor(baseUrl: string) {
    const provider = ownProvider({ name: 'own-provider', baseUrl })
    super([provider], [ownAlias({ name: 'own-alias', routes: [ownRoute({ providerId: provider.id })] })])
  }
}
