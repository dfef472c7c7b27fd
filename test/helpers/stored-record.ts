/** A record as the control plane's API shows it. */

/** All of its fields. */
export const RECORD_FIELDS = /* GraphQL */ `
  id requestId startedAt finishedAt endpoint model stream status httpStatus errorClass errorMessage
  project { id name } token { id name } alias { id name } provider { id name } providerModel
  usage { inputTokens outputTokens cachedInputTokens reasoningTokens source }
  latencyMs timeToFirstTokenMs overheadMs configRevision proxyId userKey conversationKey metadata
  attempts {
    index providerName providerModel startedAt latencyMs timeToFirstTokenMs upstreamStatus
    errorClass errorMessage upstreamUrl contentType credentialSource credentialFingerprint hedged
  }
`

export interface StoredAttempt {
  readonly index: number
  readonly providerName: string
  readonly providerModel: string
  readonly latencyMs: number
  readonly timeToFirstTokenMs: number | null
  readonly upstreamStatus: number | null
  readonly errorClass: string | null
  readonly errorMessage: string | null
  readonly upstreamUrl: string | null
  readonly contentType: string | null
  readonly credentialSource: string | null
  readonly credentialFingerprint: string | null
  readonly hedged: boolean
}

export interface StoredRecord {
  readonly id: string
  readonly requestId: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly endpoint: string
  readonly model: string
  readonly stream: boolean
  readonly status: 'SUCCESS' | 'ERROR' | 'TIMEOUT' | 'CANCELLED' | 'REJECTED'
  readonly httpStatus: number
  readonly errorClass: string | null
  readonly errorMessage: string | null
  readonly project: { readonly id: string; readonly name: string } | null
  readonly token: { readonly id: string; readonly name: string } | null
  readonly alias: { readonly id: string; readonly name: string } | null
  readonly provider: { readonly id: string; readonly name: string } | null
  readonly providerModel: string | null
  readonly usage: {
    readonly inputTokens: number
    readonly outputTokens: number
    readonly cachedInputTokens: number
    readonly reasoningTokens: number
    readonly source: 'PROVIDER' | 'ESTIMATED' | 'NONE'
  }
  readonly latencyMs: number
  readonly timeToFirstTokenMs: number | null
  readonly overheadMs: number
  readonly configRevision: number
  readonly proxyId: string
  readonly userKey: string | null
  readonly conversationKey: string | null
  readonly metadata: unknown
  readonly attempts: readonly StoredAttempt[]
}
