/** One provider of each kind, all of them the one fake upstream, and an alias for each. */
import {
  DEFAULT_CACHE,
  DEFAULT_RETRY,
  type CachePolicy,
  type RetryPolicy,
  type SnapshotAlias,
  type SnapshotProvider,
  type SnapshotRoute,
} from '@millrace/shared'

import { ownCredential } from '../../helpers/own-proxy.ts'
import { OwnSnapshot, ownAlias, ownProvider, ownRoute } from '../../helpers/own-snapshot.ts'

/** The API that a provider, or a client, speaks. */
export type Dialect = 'chat' | 'completions' | 'embeddings' | 'responses' | 'messages' | 'gemini' | 'converse'

/** A kind of provider; OPENAI twice, since some of its models know only one of its APIs. */
export const KINDS = [
  'OPENAI',
  'OPENAI_RESPONSES',
  'AZURE_OPENAI',
  'ANTHROPIC',
  'GEMINI',
  'BEDROCK',
  'OPENAI_COMPATIBLE',
  'SIMULATED',
] as const
export type Kind = (typeof KINDS)[number]

interface KindOf {
  readonly kind: string
  /** Below the upstream's origin. */
  readonly path: string
  readonly settings: Readonly<Record<string, unknown>>
  /** In which it answers what a client of another API asks. */
  readonly speaks: Dialect
}

export const KIND: Readonly<Record<Kind, KindOf>> = {
  OPENAI: { kind: 'OPENAI', path: '/v1', settings: {}, speaks: 'chat' },
  OPENAI_RESPONSES: { kind: 'OPENAI', path: '/v1', settings: { responsesModels: ['*'] }, speaks: 'responses' },
  AZURE_OPENAI: { kind: 'AZURE_OPENAI', path: '', settings: {}, speaks: 'chat' },
  ANTHROPIC: { kind: 'ANTHROPIC', path: '', settings: {}, speaks: 'messages' },
  GEMINI: { kind: 'GEMINI', path: '/v1beta', settings: {}, speaks: 'gemini' },
  BEDROCK: { kind: 'BEDROCK', path: '', settings: {}, speaks: 'converse' },
  OPENAI_COMPATIBLE: { kind: 'OPENAI_COMPATIBLE', path: '/v1', settings: {}, speaks: 'chat' },
  SIMULATED: { kind: 'SIMULATED', path: '', settings: {}, speaks: 'chat' },
}

/** Who answers in an API, for clients of every API. */
export const REPLAYED_BY: Readonly<Record<Dialect, Kind>> = {
  chat: 'OPENAI_COMPATIBLE',
  completions: 'OPENAI',
  embeddings: 'OPENAI',
  responses: 'OPENAI_RESPONSES',
  messages: 'ANTHROPIC',
  gemini: 'GEMINI',
  converse: 'BEDROCK',
}

/** Those that sign what they think. */
export const SIGNING: readonly Kind[] = ['ANTHROPIC', 'GEMINI', 'BEDROCK', 'OPENAI_RESPONSES']

/** The alias of a kind. */
export function aliasOf(kind: Kind): string {
  return `at-${kind.toLowerCase()}`
}

/** The alias of a model that embeds texts: Bedrock asks each in its own way. */
export function embeddingAliasOf(kind: Kind): string {
  return `embedding-at-${kind.toLowerCase()}`
}

/** The alias of a kind that refuses requests with parameters that its provider does not know. */
export function strictAliasOf(kind: Kind): string {
  return `strict-${kind.toLowerCase()}`
}

/** The alias of a kind whose answers are kept. */
export function cachedAliasOf(kind: Kind): string {
  return `cached-at-${kind.toLowerCase()}`
}

/** The alias that asks one kind first and then the other. */
export const FALLBACK = 'anthropic-then-gemini'

/** @param origin of the upstream: `http://127.0.0.1:PORT` */
export function dialectSnapshot(origin: string): OwnSnapshot {
  const providers = new Map(KINDS.map((kind) => [kind, providerOfKind(kind, origin)]))
  const aliases = KINDS.flatMap((kind) => aliasesOf(kind, providers.get(kind)!))
  const [first, second] = (['ANTHROPIC', 'GEMINI'] as const).map((kind) => providers.get(kind)!.id)
  const routes = [
    ownRoute({ providerId: first!, priority: 0 }),
    ownRoute({ providerId: second!, priority: 1, providerModel: 'other-model' }),
  ]
  return new OwnSnapshot([...providers.values()], [...aliases, ownAlias({ name: FALLBACK, routes, retry: QUICK })])
}

/** Waiting proves nothing here. */
const QUICK: RetryPolicy = { ...DEFAULT_RETRY, maxAttempts: 2, initialBackoffMs: 1 }
const KEPT: CachePolicy = { ...DEFAULT_CACHE, enabled: true, storeToolCalls: true }
const ONCE: RetryPolicy = { ...DEFAULT_RETRY, maxAttempts: 1 }

function providerOfKind(kind: Kind, origin: string): SnapshotProvider {
  const { kind: kindName, path, settings } = KIND[kind]
  const simulated = kind === 'SIMULATED'
  return ownProvider({
    name: kind.toLowerCase().replaceAll('_', '-'),
    kind: kindName,
    baseUrl: simulated ? null : origin + path,
    settings,
    // Errors on purpose are not to shut it out.
    forcedBreaker: 'FORCED_CLOSED',
    credentials: simulated ? [] : [CREDENTIAL],
  })
}

const CREDENTIAL = ownCredential()

function aliasesOf(kind: Kind, { id: providerId }: SnapshotProvider): SnapshotAlias[] {
  const routes = (): SnapshotRoute[] => [ownRoute({ providerId })]
  const embedding = [ownRoute({ providerId, providerModel: 'amazon.titan-embed-text-v2:0' })]
  return [
    ownAlias({ name: embeddingAliasOf(kind), routes: embedding, retry: ONCE }),
    ownAlias({ name: aliasOf(kind), routes: routes(), retry: ONCE }),
    ownAlias({ name: cachedAliasOf(kind), routes: routes(), retry: ONCE, cache: KEPT }),
    ownAlias({ name: strictAliasOf(kind), routes: routes(), retry: ONCE, unknownParameters: 'REFUSE' }),
  ]
}
