/** Records into the database, in one statement. */
import { executeBound } from '../db/bound.ts'
import type { Em } from '../db/database.ts'
import { LISTED_COLUMNS, LISTING } from '../listing/counting.ts'
import { COUNTED_COLUMNS, COUNTING } from '../spending/counting.ts'
import { USAGE_COLUMNS, USAGE_COUNTING } from '../usage/counting.ts'

/**
 * The records, as rows. In the order of their ids, so that two statements that store the same ones don't wait for each other.
 */
const GIVEN = `
  select * from jsonb_to_recordset($1::jsonb) as record (
    id uuid, "requestId" text, "startedAt" timestamptz(3), "finishedAt" timestamptz(3), "projectId" uuid, "tokenId" uuid,
    endpoint text, model text, "aliasId" uuid, "providerId" uuid, "providerModel" text,
    stream boolean, status text, "httpStatus" integer, "errorClass" text, "errorMessage" text,
    cache text, "cacheTier" text, billed boolean, usage jsonb,
    counted boolean, "costUsd" numeric, "latencyMs" double precision, "timeToFirstTokenMs" double precision,
    "overheadMs" double precision, attempts jsonb, decision jsonb,
    "userKey" text, "conversationKey" text, metadata jsonb, "configRevision" integer, "proxyId" uuid
  )
  order by id`

/** What is asked of a record that was stored just now, each column once. */
const STORED_COLUMNS = [
  ...new Set(`id, stored_at, ${LISTED_COLUMNS}, ${COUNTED_COLUMNS}, ${USAGE_COLUMNS}`.split(', ')),
].join(', ')

/** Column, and where its value stands in a record: one row of the table a line. */
const INSERT = `
  insert into request_record (
    id, request_id, started_at, finished_at, project_id, token_id, endpoint, model, alias_id, provider_id, provider_model,
    stream, status, http_status, error_class, error_message, cache, cache_tier, billed,
    input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens,
    input_audio_tokens, output_audio_tokens, usage_source,
    counted, cost_usd, latency_ms, time_to_first_token_ms, overhead_ms, attempts,
    user_key, conversation_key, metadata, config_revision, proxy_id, facet
  )
  select
    id, "requestId", "startedAt", "finishedAt", "projectId", "tokenId", endpoint, model, "aliasId", "providerId", "providerModel",
    stream, status, "httpStatus", "errorClass", "errorMessage", cache, "cacheTier", billed,
    (usage->>'inputTokens')::integer, (usage->>'outputTokens')::integer, (usage->>'cachedInputTokens')::integer,
    (usage->>'cacheWriteTokens')::integer, (usage->>'reasoningTokens')::integer,
    (usage->>'inputAudioTokens')::integer, (usage->>'outputAudioTokens')::integer, usage->>'source',
    counted, "costUsd", "latencyMs", "timeToFirstTokenMs", "overheadMs", attempts,
    "userKey", "conversationKey", nullif(metadata, 'null'), "configRevision", "proxyId",
    record_facet_of("projectId", "providerId", model, status, "errorClass", stream, cache)
  from given
  on conflict do nothing
  returning ${STORED_COLUMNS}`

/** Of those that were stored just now, and of no others: what was decided for a record that was there before may have gone. */
const DECIDED = `
  select *, decision_facet_of(project_id, alias_id, error_class, sticky_hit, fallback_used, asked_ids) as facet
  from (
    select given.id, inserted.started_at, inserted.stored_at, "tokenId" as token_id, "requestId" as request_id, decision,
      "projectId" as project_id, "aliasId" as alias_id, "errorClass" as error_class,
      (decision->'sticky'->>'hit')::boolean as sticky_hit, (decision->>'fallbackUsed')::boolean as fallback_used,
      array(
        select distinct asked::uuid from (
          select unnest(array[attempt->>'routeId', attempt->>'providerId']) as asked from jsonb_array_elements(given.attempts) as attempt
          union all select decision->>'selectedRouteId' union all select "providerId"::text
        ) as each_asked where asked is not null order by 1
      ) as asked_ids
    from given join inserted on inserted.id = given.id and inserted.started_at = "startedAt"
    where decision <> 'null'
  ) as taken_apart`

const STORE = `
  with given as materialized (${GIVEN}), inserted as (${INSERT}), decided as materialized (${DECIDED}),
  decisions as (
    insert into route_decision (id, started_at, stored_at, facet, token_id, request_id, decision)
    select id, started_at, stored_at, facet, token_id, request_id, decision from decided on conflict do nothing
  ),
  ${COUNTING}, ${LISTING}, ${USAGE_COUNTING}
  select id, stored_at as "storedAt" from inserted`

/**
 * Stores those that are not stored yet, adds them to what was spent and used, and says which they are, and when that was.
 * @param json the records as a JSON array
 */
export async function insertRecords(em: Em, json: string): Promise<Map<string, Date>> {
  const rows = await executeBound<{ id: string; storedAt: string }>(em, STORE, [json])
  return new Map(rows.map(({ id, storedAt }) => [id, new Date(storedAt)]))
}
