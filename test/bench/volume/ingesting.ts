/** How many records a second a control plane stores, sent as proxies send them: several at a time, as GraphQL over HTTP. */
import { INGEST_RECORDS_MUTATION, newId, type AttemptRecord, type RequestRecord } from '@millrace/shared'

import type { ControlProcess } from '../../helpers/control.ts'
import { cpuTime } from '../cpu.ts'
import type { Cast } from './fill.ts'

const BATCH = 500
/** Calls under way at a time: two proxies, say. */
const SENDERS = 2

export interface Ingested {
  readonly perSecond: number
  /** Of the control process alone. */
  readonly cpuMicros: number
  /** From a record's being sent to its event at a subscriber: the largest, in ms. */
  readonly lagMs: number
}

/** A record with one to three candidates and one or two attempts. */
function recordOf({ projects, tokens, aliases, providers, models }: Cast): RequestRecord {
  const skewed = (count: number): number => Math.floor(count * Math.random() ** 3)
  const token = skewed(tokens.length)
  const [aliasId, model] = [aliases[token % aliases.length]!, models[skewed(models.length)]!]
  const failed = Math.random() < 0.05
  const startedAt = new Date().toISOString()
  const candidates = Array.from({ length: 1 + Math.floor(3 * Math.random()) }, (_, i) => ({
    routeId: providers[i]!,
    providerId: providers[i]!,
    providerName: 'provider',
    providerModel: model,
    priority: i,
    weight: 1,
    score: i === 0 ? 1 : null,
    excluded: null,
    selected: i === 0,
  }))
  const attempt = (index: number): AttemptRecord => ({
    index,
    routeId: providers[index]!,
    providerId: providers[index]!,
    providerName: 'provider',
    providerModel: model,
    startedAt,
    latencyMs: 812.5,
    timeToFirstTokenMs: 230.25,
    upstreamStatus: failed ? 503 : 200,
    errorClass: failed ? 'upstream_5xx' : null,
    errorMessage: failed ? 'the provider answered 503' : null,
    upstreamUrl: 'https://upstream.example/v1/chat/completions',
    contentType: 'application/json',
    credentialSource: 'PROVIDER',
    credentialFingerprint: 'sha256:0123456789abcdef',
    hedged: false,
  })
  return {
    id: newId(),
    requestId: newId(),
    startedAt,
    finishedAt: startedAt,
    projectId: projects[token % projects.length]!,
    tokenId: tokens[token]!,
    endpoint: '/v1/chat/completions',
    model,
    aliasId,
    providerId: providers[0]!,
    providerModel: model,
    stream: Math.random() < 0.6,
    status: failed ? 'ERROR' : 'SUCCESS',
    httpStatus: failed ? 502 : 200,
    errorClass: failed ? 'all_routes_failed' : null,
    errorMessage: failed ? 'the provider answered 503' : null,
    cache: 'MISS',
    cacheTier: null,
    billed: true,
    usage: {
      inputTokens: 512,
      outputTokens: 128,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      inputAudioTokens: 0,
      outputAudioTokens: 0,
      source: 'PROVIDER',
    },
    counted: true,
    costUsd: (Math.random() / 100).toFixed(8),
    latencyMs: Math.exp(5 + 4 * Math.random()),
    timeToFirstTokenMs: 240.5,
    overheadMs: 0.4,
    attempts: failed ? [attempt(0), attempt(1)] : [attempt(0)],
    decision: {
      strategy: 'WEIGHTED',
      candidates,
      sticky: {
        scope: 'NONE',
        key: null,
        routeId: null,
        hit: false,
        action: 'NONE',
        backend: 'memory',
        boundAt: null,
        expiresAt: null,
      },
      selectedRouteId: providers[0]!,
      fallbackUsed: failed,
    },
    userKey: `user-${skewed(20_000)}`,
    conversationKey: null,
    metadata: { team: 'a' },
    configRevision: 1,
    proxyId: '00000000-0000-7000-8500-000000000001',
  }
}

export async function measureIngest(control: ControlProcess, cast: Cast, seconds: number): Promise<Ingested> {
  const sentAt = new Map<string, number>()
  let lagMs = 0
  const feed = control.subscribe<{ it: { record: { id: string } } }>(
    'subscription { it: requestFeed(filter: { search: "user-7" }) { record { id } } }',
  )
  const following = (async () => {
    for await (const { it } of feed) {
      const sent = sentAt.get(it.record.id)
      if (sent !== undefined) lagMs = Math.max(lagMs, performance.now() - sent)
    }
  })()
  await feed.connected
  const batches = Array.from({ length: 40 }, () => Array.from({ length: BATCH }, () => recordOf(cast)))
  const send = async (records: readonly RequestRecord[]): Promise<void> => {
    const startedAt = new Date().toISOString()
    const fresh = records.map((record) => ({ ...record, id: newId(), requestId: newId(), startedAt }))
    for (const { id } of fresh) sentAt.set(id, performance.now())
    await control.gql(INGEST_RECORDS_MUTATION, { records: fresh }, control.proxyKey)
  }
  await Promise.all(batches.slice(0, 4).map(send))
  const [cpu, began] = [cpuTime(control.pid).used, performance.now()]
  let stored = 0
  await Promise.all(
    Array.from({ length: SENDERS }, async (_, sender) => {
      for (let i = sender; performance.now() - began < seconds * 1_000; i += SENDERS) {
        await send(batches[i % batches.length]!)
        stored += BATCH
      }
    }),
  )
  const tookMs = performance.now() - began
  const cpuMicros = (cpuTime(control.pid).used - cpu) / stored
  await feed.return?.()
  await following
  return { perSecond: (stored / tookMs) * 1_000, cpuMicros, lagMs }
}
