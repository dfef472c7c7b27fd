/**
 * One finished request, whatever became of it, as a proxy reports it to the control plane.
 * Must never hold a secret, a header or a body.
 */
import * as z from 'zod'

import { CACHE_OUTCOMES, CACHE_TIERS } from './cache.ts'
import { parseAs } from './parse.ts'
import { EXCLUSIONS, ROUTING_STRATEGIES, STICKY_ACTIONS, STICKY_SCOPES } from './routing/names.ts'
import { USAGE_SOURCES } from './usage.ts'

export const REQUEST_STATUSES = ['SUCCESS', 'ERROR', 'TIMEOUT', 'CANCELLED', 'REJECTED'] as const
export type RequestStatus = (typeof REQUEST_STATUSES)[number]

export const CREDENTIAL_SOURCES = ['REQUEST', 'PROJECT', 'PROVIDER'] as const
export type CredentialSource = (typeof CREDENTIAL_SOURCES)[number]

/** The status that stands in a record where no answer could be sent: the client had gone (nginx's 499). */
export const CLIENT_CLOSED_REQUEST = 499

const LONGEST_TEXT = 4_096
const id = z.uuid()
const text = z.string().max(LONGEST_TEXT)
const milliseconds = z.number().min(0)
/** As PostgreSQL's `integer` holds it. */
const count = z.int().min(0).max(2_147_483_647)

const attempt = z.object({
  index: count,
  routeId: id.nullable(),
  providerId: id.nullable(),
  providerName: text,
  providerModel: text,
  startedAt: z.iso.datetime(),
  latencyMs: milliseconds,
  timeToFirstTokenMs: milliseconds.nullable(),
  upstreamStatus: z.int().min(100).max(999).nullable(),
  errorClass: text.nullable(),
  errorMessage: text.nullable(),
  /** Without credentials and query. */
  upstreamUrl: text.nullable(),
  contentType: text.nullable(),
  credentialSource: z.enum(CREDENTIAL_SOURCES).nullable(),
  credentialFingerprint: text.nullable(),
  hedged: z.boolean(),
})

const candidate = z.object({
  routeId: id.nullable(),
  providerId: id.nullable(),
  providerName: text,
  providerModel: text,
  priority: z.int(),
  weight: z.int(),
  /** What the strategy compared the route by; its unit is the strategy's. */
  score: z.number().nullable(),
  excluded: z.enum(EXCLUSIONS).nullable().default(null),
  /** Whether this route gave the answer. */
  selected: z.boolean().default(false),
})

const stickyOutcome = z.object({
  scope: z.enum(STICKY_SCOPES),
  /** Of the binding; null where the request had no subject of that scope. */
  key: text.nullable(),
  /** Where the binding stands now, if there is one. */
  routeId: id.nullable(),
  hit: z.boolean(),
  action: z.enum(STICKY_ACTIONS),
  /** Where bindings are kept: `memory` or `redis`. */
  backend: text,
  boundAt: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime().nullable(),
})

/** Why a request went where it went. What else is to be known of it stands in its record. */
const decision = z.object({
  /** Null for a model addressed as NAME/MODEL. */
  strategy: z.enum(ROUTING_STRATEGIES).nullable(),
  candidates: z.array(candidate),
  sticky: stickyOutcome,
  /** The route whose answer the client got, whole, broken off, or a refusal; null if the gateway's own error was all. */
  selectedRouteId: id.nullable(),
  /** Whether the route that answered was not the first that was tried. */
  fallbackUsed: z.boolean(),
})

const record = z.object({
  /** Made by the proxy; ingest is idempotent by it. */
  id,
  requestId: text,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  projectId: id.nullable(),
  tokenId: id.nullable(),
  endpoint: text,
  /** The model that was asked for; empty if the request was refused before it was read. */
  model: text,
  aliasId: id.nullable(),
  providerId: id.nullable(),
  providerModel: text.nullable(),
  stream: z.boolean(),
  status: z.enum(REQUEST_STATUSES),
  httpStatus: z.int().min(100).max(599),
  errorClass: text.nullable(),
  errorMessage: text.nullable(),
  /** Proxies of before there was a cache say nothing of it, nor of `billed`. */
  cache: z.enum(CACHE_OUTCOMES).default('BYPASS'),
  /** Null unless it is a HIT. */
  cacheTier: z.enum(CACHE_TIERS).nullable().default(null),
  /** Whether a provider was asked for the answer on this request's account; else it had what `usage` says for nothing. */
  billed: z.boolean().default(true),
  usage: z.object({
    inputTokens: count,
    outputTokens: count,
    cachedInputTokens: count,
    cacheWriteTokens: count.default(0),
    reasoningTokens: count,
    inputAudioTokens: count.default(0),
    outputAudioTokens: count.default(0),
    source: z.enum(USAGE_SOURCES),
  }),
  /** Whether it counts towards its token's requests: something of it was sent to a provider, or it was answered from a cache. */
  counted: z.boolean().default(false),
  /** USD, a decimal; null where no price is known. Proxies of before Millrace knew prices say nothing of it. */
  costUsd: z
    .string()
    .regex(/^\d{1,20}(\.\d{1,20})?$/)
    .nullable()
    .default(null),
  latencyMs: milliseconds,
  timeToFirstTokenMs: milliseconds.nullable(),
  /** Of the latency, what the gateway itself took. */
  overheadMs: milliseconds,
  attempts: z.array(attempt),
  /** Null where nothing was routed: the request was refused before, or answered by the gateway itself. Also new since. */
  decision: decision.nullable().default(null),
  userKey: text.nullable(),
  conversationKey: text.nullable(),
  metadata: z.record(z.string(), z.json()).nullable(),
  configRevision: count,
  proxyId: id,
})

export type RequestRecord = z.infer<typeof record>
export type AttemptRecord = z.infer<typeof attempt>
export type DecisionRecord = z.infer<typeof decision>
export type CandidateRecord = z.infer<typeof candidate>
export type StickyOutcomeRecord = z.infer<typeof stickyOutcome>

/** A text as a record may hold it: cut, and without what PostgreSQL refuses in text (NUL, lone surrogates). */
export function recordText(value: string): string {
  const short = value.length > LONGEST_TEXT ? value.slice(0, LONGEST_TEXT) : value
  return short.toWellFormed().replaceAll('\0', '\uFFFD')
}

/**
 * Reads what claims to be a record.
 * @throws Error naming the first path that is wrong, without its value
 */
export function parseRecord(value: unknown): RequestRecord {
  return parseAs(record, value, 'record')
}
