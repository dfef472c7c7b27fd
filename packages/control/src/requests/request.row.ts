/** A record as it lies in table `request_record`, with its decision out of `route_decision`. */
import type { RequestRecord, TokenUsage } from '@millrace/shared'

/** Where `r` is the record's row and `d` its decision's. */
export const SELECTED = `
  r.id, r.request_id as "requestId", r.started_at as "startedAt", r.finished_at as "finishedAt",
  r.project_id as "projectId", r.token_id as "tokenId", r.endpoint, r.model, r.alias_id as "aliasId",
  r.provider_id as "providerId", r.provider_model as "providerModel", r.stream, r.status, r.http_status as "httpStatus",
  r.error_class as "errorClass", r.error_message as "errorMessage", r.cache, r.cache_tier as "cacheTier", r.billed,
  r.input_tokens as "inputTokens", r.output_tokens as "outputTokens", r.cached_input_tokens as "cachedInputTokens",
  r.cache_write_tokens as "cacheWriteTokens", r.reasoning_tokens as "reasoningTokens",
  r.input_audio_tokens as "inputAudioTokens", r.output_audio_tokens as "outputAudioTokens", r.usage_source as source,
  r.counted, r.cost_usd as "costUsd", r.latency_ms as "latencyMs", r.time_to_first_token_ms as "timeToFirstTokenMs",
  r.overhead_ms as "overheadMs", r.attempts, r.user_key as "userKey", r.conversation_key as "conversationKey",
  r.metadata, r.config_revision as "configRevision", r.proxy_id as "proxyId", d.decision`

/** One that {@link SELECTED} names. */
export type RecordRow = Omit<RequestRecord, 'usage'> & TokenUsage

/** The record that it was; without its decision if that has gone. */
export function toRecord(row: RecordRow): RequestRecord {
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens, ...others } = row
  const { inputAudioTokens, outputAudioTokens, source, ...record } = others
  return {
    ...record,
    startedAt: new Date(record.startedAt).toISOString(),
    finishedAt: new Date(record.finishedAt).toISOString(),
    usage: {
      inputTokens,
      outputTokens,
      cachedInputTokens,
      cacheWriteTokens,
      reasoningTokens,
      inputAudioTokens,
      outputAudioTokens,
      source,
    },
  }
}
