/** Records into the database and out of it, in as few statements as can be. */
import type { RequestRecord } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import { RequestRecordEntity } from './request.entity.ts'

/** Column, its type, and where its value stands in a record: one row of the table a line. */
const INSERT = `
  insert into request_record (
    id, request_id, started_at, finished_at, project_id, token_id, endpoint, model, alias_id, provider_id, provider_model,
    stream, status, http_status, error_class, error_message,
    input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, usage_source,
    cost_usd, latency_ms, time_to_first_token_ms, overhead_ms, attempts,
    decision, sticky_hit, fallback_used, asked_ids,
    user_key, conversation_key, metadata, config_revision, proxy_id
  )
  select
    id, "requestId", "startedAt", "finishedAt", "projectId", "tokenId", endpoint, model, "aliasId", "providerId", "providerModel",
    stream, status, "httpStatus", "errorClass", "errorMessage",
    (usage->>'inputTokens')::integer, (usage->>'outputTokens')::integer,
    (usage->>'cachedInputTokens')::integer, (usage->>'reasoningTokens')::integer, usage->>'source',
    "costUsd", "latencyMs", "timeToFirstTokenMs", "overheadMs", attempts,
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
    stream boolean, status text, "httpStatus" integer, "errorClass" text, "errorMessage" text, usage jsonb,
    "costUsd" numeric, "latencyMs" double precision, "timeToFirstTokenMs" double precision,
    "overheadMs" double precision, attempts jsonb, decision jsonb,
    "userKey" text, "conversationKey" text, metadata jsonb, "configRevision" integer, "proxyId" uuid
  )
  on conflict (id) do nothing
  returning id`

/**
 * Stores those that are not stored yet, and says which.
 * @param json the records as a JSON array
 */
export async function insertRecords(em: Em, json: string): Promise<Set<string>> {
  const rows = await em.execute<{ id: string }[]>(INSERT, [json])
  return new Set(rows.map(({ id }) => id))
}

/** A row as the record that it was. */
export function toRecord(em: Em, row: Record<string, unknown>): RequestRecord {
  const { startedAt, finishedAt, inputTokens, outputTokens, cachedInputTokens, reasoningTokens, usageSource, ...rest } =
    em.map(RequestRecordEntity, row)
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    usage: { inputTokens, outputTokens, cachedInputTokens, reasoningTokens, source: usageSource },
    metadata: rest.metadata as RequestRecord['metadata'],
  }
}
