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
} from '@millrace/shared'

/** One provider that wants no key, an alias for it, a project, and a token of that. */
export class OwnConfiguration {
  readonly alias = 'own-alias'
  readonly #baseUrl: string
  readonly #token: NewSecret = newSecret(TOKEN_PREFIX)
  readonly #ids = { provider: newId(), alias: newId(), route: newId(), project: newId(), token: newId() }

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl
  }

  /** The token's secret. */
  get token(): string {
    return this.#token.secret
  }

  /** The same at each revision. */
  at(revision: number): Snapshot {
    const { provider, alias, route, project, token } = this.#ids
    return {
      format: SNAPSHOT_FORMAT,
      revision,
      providers: [
        {
          id: provider,
          name: 'own-provider',
          kind: 'OPENAI_COMPATIBLE',
          baseUrl: this.#baseUrl,
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
        },
      ],
      aliases: [
        {
          id: alias,
          name: this.alias,
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
          routes: [
            {
              id: route,
              providerId: provider,
              providerModel: 'upstream-model',
              priority: 0,
              weight: 1,
              enabled: true,
              condition: null,
              inputPrice: null,
              outputPrice: null,
              cachedInputPrice: null,
            },
          ],
        },
      ],
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
