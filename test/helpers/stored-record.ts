/** A record, and the decision in it, as the control plane's API shows them. */
import type {
  CacheOutcome,
  CacheTier,
  CredentialSource,
  Exclusion,
  RequestStatus,
  RoutingStrategy,
  StickyAction,
  StickyScope,
  UsageSource,
} from '@millrace/shared'

const ATTEMPT_FIELDS = /* GraphQL */ `
  index routeId providerName providerModel startedAt latencyMs timeToFirstTokenMs upstreamStatus
  errorClass errorMessage upstreamUrl contentType credentialSource credentialFingerprint hedged
`

/** All of a decision's fields but what its record says too. */
export const DECISION_FIELDS = /* GraphQL */ `
  id requestId at model strategy configRevision errorClass upstreamStatus fallbackUsed
  alias { id name }
  candidates { routeId providerName providerModel priority weight score excluded selected }
  sticky { scope key hit action backend boundAt expiresAt }
  selectedRoute { id }
  attempts { ${ATTEMPT_FIELDS} }
`

/** All of a record's fields. */
export const RECORD_FIELDS = /* GraphQL */ `
  id requestId startedAt finishedAt endpoint model stream status httpStatus errorClass errorMessage
  project { id name } token { id name } alias { id name } provider { id name } providerModel
  cache cacheTier
  usage { inputTokens outputTokens cachedInputTokens cacheWriteTokens reasoningTokens inputAudioTokens outputAudioTokens source billed }
  costUsd
  latencyMs timeToFirstTokenMs overheadMs configRevision proxyId userKey conversationKey metadata
  attempts { ${ATTEMPT_FIELDS} }
  decision { ${DECISION_FIELDS} }
`

export interface StoredAttempt {
  readonly index: number
  readonly routeId: string | null
  readonly providerName: string
  readonly providerModel: string
  readonly startedAt: string
  readonly latencyMs: number
  readonly timeToFirstTokenMs: number | null
  readonly upstreamStatus: number | null
  readonly errorClass: string | null
  readonly errorMessage: string | null
  readonly upstreamUrl: string | null
  readonly contentType: string | null
  readonly credentialSource: CredentialSource | null
  readonly credentialFingerprint: string | null
  readonly hedged: boolean
}

export interface StoredCandidate {
  readonly routeId: string | null
  readonly providerName: string
  readonly providerModel: string
  readonly priority: number
  readonly weight: number
  readonly score: number | null
  readonly excluded: Exclusion | null
  readonly selected: boolean
}

export interface StoredSticky {
  readonly scope: StickyScope
  readonly key: string | null
  readonly hit: boolean
  readonly action: StickyAction
  readonly backend: string
  readonly boundAt: string | null
  readonly expiresAt: string | null
}

export interface StoredDecision {
  readonly id: string
  readonly requestId: string | null
  readonly at: string
  readonly model: string
  readonly strategy: RoutingStrategy | null
  readonly configRevision: number
  readonly errorClass: string | null
  readonly upstreamStatus: number | null
  readonly fallbackUsed: boolean
  readonly alias: { readonly id: string; readonly name: string } | null
  readonly candidates: readonly StoredCandidate[]
  readonly sticky: StoredSticky
  readonly selectedRoute: { readonly id: string } | null
  readonly attempts: readonly StoredAttempt[]
}

export interface StoredRecord {
  readonly id: string
  readonly requestId: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly endpoint: string
  readonly model: string
  readonly stream: boolean
  readonly status: RequestStatus
  readonly httpStatus: number
  readonly errorClass: string | null
  readonly errorMessage: string | null
  readonly project: { readonly id: string; readonly name: string } | null
  readonly token: { readonly id: string; readonly name: string } | null
  readonly alias: { readonly id: string; readonly name: string } | null
  readonly provider: { readonly id: string; readonly name: string } | null
  readonly providerModel: string | null
  readonly cache: CacheOutcome
  readonly cacheTier: CacheTier | null
  readonly usage: {
    readonly inputTokens: number
    readonly outputTokens: number
    readonly cachedInputTokens: number
    readonly cacheWriteTokens: number
    readonly reasoningTokens: number
    readonly inputAudioTokens: number
    readonly outputAudioTokens: number
    readonly source: UsageSource
    readonly billed: boolean
  }
  /** USD. */
  readonly costUsd: string | null
  readonly latencyMs: number
  readonly timeToFirstTokenMs: number | null
  readonly overheadMs: number
  readonly configRevision: number
  readonly proxyId: string
  readonly userKey: string | null
  readonly conversationKey: string | null
  readonly metadata: unknown
  readonly attempts: readonly StoredAttempt[]
  /** Null where nothing was routed. */
  readonly decision: StoredDecision | null
}
