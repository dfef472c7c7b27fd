/** Records into the database and out of it, in as few statements as can be. */
import type { RequestRecord } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import { COUNTED_COLUMNS, COUNTING } from '../spending/counting.ts'
import { RequestRecordEntity } from './request.entity.ts'

/**
 * Column, its type, and where its value stands in a record: one row of the table a line. In the order of their ids, so that
 * two that store the same records don't wait for each other.
 */
const INSERT = `
  insert into request_record (
    id, request_id, started_at, finished_at, project_id, token_id, endpoint, model, alias_id, provider_id, provider_model,
    stream, status, http_status, error_class, error_message, cache, cache_tier, billed,
    input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens,
    input_audio_tokens, output_audio_tokens, usage_source,
    counted, cost_usd, latency_ms, time_to_first_token_ms, overhead_ms, attempts,
    decision, sticky_hit, fallback_used, asked_ids,
    user_key, conversation_key, metadata, config_revision, proxy_id
  )
  select
    id, "requestId", "startedAt", "finishedAt", "projectId", "tokenId", endpoint, model, "aliasId", "providerId", "providerModel",
    stream, status, "httpStatus", "errorClass", "errorMessage", cache, "cacheTier", billed,
    (usage->>'inputTokens')::integer, (usage->>'outputTokens')::integer, (usage->>'cachedInputTokens')::integer,
    (usage->>'cacheWriteTokens')::integer, (usage->>'reasoningTokens')::integer,
    (usage->>'inputAudioTokens')::integer, (usage->>'outputAudioTokens')::integer, usage->>'source',
    counted, "costUsd", "latencyMs", "timeToFirstTokenMs", "overheadMs", attempts,
    nullif(decision, 'null'), (decision->'sticky'->>'hit')::boolean, (decision->>'fallbackUsed')::boolean,
    array(
      select distinct asked from (
        select unnest(array[attempt->>'routeId', attempt->>'providerId']) as asked from jsonb_array_elements(attempts) as attempt
        union all select decision->>'selectedRouteId' union all select "providerId"::text
      ) as each_asked where asked is not null
    )::uuid[],
    "userKey", "conversationKey", nullif(metadata, 'null'), "configRevision", "proxyId"
  from jsonb_to_recordset(?::jsonb) as record (
    id uuid, "requestId" text, "startedAt" timestamptz, "finishedAt" timestamptz, "projectId" uuid, "tokenId" uuid,
    endpoint text, model text, "aliasId" uuid, "providerId" uuid, "providerModel" text,
    stream boolean, status text, "httpStatus" integer, "errorClass" text, "errorMessage" text,
    cache text, "cacheTier" text, billed boolean, usage jsonb,
    counted boolean, "costUsd" numeric, "latencyMs" double precision, "timeToFirstTokenMs" double precision,
    "overheadMs" double precision, attempts jsonb, decision jsonb,
    "userKey" text, "conversationKey" text, metadata jsonb, "configRevision" integer, "proxyId" uuid
  )
  order by id
  on conflict (id) do nothing
  returning id, ${COUNTED_COLUMNS}`

const STORE = `with inserted as (${INSERT}), ${COUNTING} select id from inserted`

/**
 * Stores those that are not stored yet, adds them to what was spent and used, and says which they are.
 * @param json the records as a JSON array
 */
export async function insertRecords(em: Em, json: string): Promise<Set<string>> {
  const rows = await em.execute<{ id: string }[]>(STORE, [json])
  return new Set(rows.map(({ id }) => id))
}

/** A row as the record that it was. */
export function toRecord(em: Em, row: Record<string, unknown>): RequestRecord {
  const { startedAt, finishedAt, inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, ...others } = em.map(
    RequestRecordEntity,
    row,
  )
  const { reasoningTokens, inputAudioTokens, outputAudioTokens, usageSource, ...rest } = others
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    usage: {
      inputTokens,
      outputTokens,
      cachedInputTokens,
      cacheWriteTokens,
      reasoningTokens,
      inputAudioTokens,
      outputAudioTokens,
      source: usageSource,
    },
    metadata: rest.metadata as RequestRecord['metadata'],
  }
}
