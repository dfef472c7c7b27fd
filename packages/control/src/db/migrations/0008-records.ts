import { Migration } from '@mikro-orm/migrations'

import { partitionStatements } from '../partitions.ts'

/**
 * Records in a partition a day, decisions and their retention apart from them; and facets, by which lists find what few
 * records have in common.
 */
export class Migration0008 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

/** Moves a table's rows into those that take its place, a day's partition for each day that has some. */
const daysOf = (table: string, condition: string): string => `
  do $$
  declare day date;
  begin
    for day in
      select distinct (started_at at time zone 'UTC')::date from request_record_before
      where ${condition} and started_at between now() - interval '400 days' and now() + interval '4 days'
    loop
      execute format(
        'create table ${table}_%s partition of ${table} for values from (%L) to (%L)',
        to_char(day, 'YYYYMMDD'), day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC'
      );
    end loop;
  end $$`

const KEPT = `id, request_id, started_at, finished_at, project_id, token_id, endpoint, model, alias_id, provider_id,
  provider_model, stream, status, http_status, error_class, error_message, cache, cache_tier, billed, input_tokens,
  output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens,
  usage_source, counted, cost_usd, latency_ms, time_to_first_token_ms, overhead_ms, attempts, user_key, conversation_key,
  metadata, config_revision, proxy_id`

const RECORD_FACET = 'record_facet_of(project_id, provider_id, model, status, error_class, stream, cache)'
const MONTH = `date_trunc('month', started_at at time zone 'UTC')::date`
const DECISION_FACET = 'decision_facet_of(project_id, alias_id, error_class, sticky_hit, fallback_used, asked_ids)'

const STATEMENTS = [
  // A model's name is the client's own: so that there is no end of facets by it, it stands in one of 4,096 groups.
  `create function model_group(model text) returns smallint immutable parallel safe
   return (hashtext(model) & 4095)::smallint`,
  `create function record_facet_of(
     project_id uuid, provider_id uuid, model text, status text, error_class text, stream boolean, cache text
   ) returns bigint immutable parallel safe
   return hash_record_extended(
     row(project_id, provider_id, model_group(model), status, error_class, stream, cache), 0
   )`,
  `create function decision_facet_of(
     project_id uuid, alias_id uuid, error_class text, sticky_hit boolean, fallback_used boolean, asked_ids uuid[]
   ) returns bigint immutable parallel safe
   return hash_record_extended(row(project_id, alias_id, error_class, sticky_hit, fallback_used, asked_ids), 0)`,
  // So that what is at least so slow, or so dear, is in few classes: each begins 19 % above the one before.
  `create function latency_class(latency_ms double precision) returns smallint immutable parallel safe
   return least(80, floor(ln(greatest(latency_ms, 1)) * 4 / ln(2::double precision)))::smallint`,
  `create function cost_class(cost_usd numeric) returns smallint immutable parallel safe
   return greatest(-80, least(26, floor(ln(cost_usd::double precision) * 4 / ln(2::double precision))))::smallint`,
  // What a search looks into.
  `create function searched_text(model text, request_id text, error_message text, user_key text)
   returns text immutable parallel safe
   return left(model, 300) || E'\\n' || left(request_id, 300) || E'\\n' || coalesce(left(error_message, 300), '') || E'\\n' ||
     coalesce(left(user_key, 300), '')`,

  'alter table request_record rename to request_record_before',
  'alter index request_record_pkey rename to request_record_before_pkey',
  ...['started', 'project', 'token', 'provider', 'model', 'request', 'failed'].map((name) => dropIndex(name)),
  ...['decided', 'alias', 'sticky', 'fallback', 'asked', 'cached'].map((name) => dropIndex(name)),
  // What a record names may be gone before it: plain ids, no foreign keys.
  `create table request_record (
    id uuid not null,
    request_id text not null,
    started_at ${INSTANT} not null,
    finished_at ${INSTANT} not null,
    stored_at ${INSTANT} not null default clock_timestamp(),
    facet bigint not null,
    project_id uuid,
    token_id uuid,
    endpoint text not null,
    model text not null,
    alias_id uuid,
    provider_id uuid,
    provider_model text,
    stream boolean not null,
    status text not null,
    http_status integer not null,
    error_class text,
    error_message text,
    cache text not null,
    cache_tier text,
    billed boolean not null,
    input_tokens integer not null,
    output_tokens integer not null,
    cached_input_tokens integer not null,
    cache_write_tokens integer not null,
    reasoning_tokens integer not null,
    input_audio_tokens integer not null,
    output_audio_tokens integer not null,
    usage_source text not null,
    counted boolean not null,
    cost_usd numeric,
    latency_ms double precision not null,
    time_to_first_token_ms double precision,
    overhead_ms double precision not null,
    attempts jsonb not null,
    user_key text,
    conversation_key text,
    metadata jsonb,
    config_revision integer not null,
    proxy_id uuid not null,
    primary key (id, started_at)
  ) partition by range (started_at)`,
  ...partitionStatements('request_record'),
  // asked_ids, in a facet: the routes and providers that were attempted, or answered.
  `create table route_decision (
    id uuid not null,
    started_at ${INSTANT} not null,
    stored_at ${INSTANT} not null default clock_timestamp(),
    facet bigint not null,
    token_id uuid,
    request_id text not null,
    decision jsonb not null,
    primary key (id, started_at)
  ) partition by range (started_at)`,
  ...partitionStatements('route_decision'),
  // A facet is what records of a month have in common: each combination that there is of what lists ask for.
  `create table record_facet (
    month date not null,
    facet bigint not null,
    project_id uuid,
    provider_id uuid,
    model_group smallint not null,
    status text not null,
    error_class text,
    stream boolean not null,
    cache text not null,
    primary key (month, facet)
  )`,
  `create table decision_facet (
    month date not null,
    facet bigint not null,
    project_id uuid,
    alias_id uuid,
    error_class text,
    sticky_hit boolean not null,
    fallback_used boolean not null,
    asked_ids uuid[] not null,
    primary key (month, facet)
  )`,
  // Whose records those of a token are: what else is asked of them need be looked for among those facets only.
  `create table record_token (
    month date not null,
    token_id uuid not null,
    project_id uuid,
    unique nulls not distinct (month, token_id, project_id)
  )`,
  'create index record_token_token on record_token (token_id, project_id)',

  `create view request_record_told as
   select ${KEPT}, decision, coalesce(sticky_hit, false) as sticky_hit, coalesce(fallback_used, false) as fallback_used,
     array(select distinct one from unnest(asked_ids) as one order by one) as asked_ids
   from request_record_before`,
  daysOf('request_record', 'true'),
  daysOf('route_decision', 'decision is not null'),
  `insert into request_record (${KEPT}, facet, stored_at)
   select ${KEPT}, ${RECORD_FACET}, finished_at from request_record_told`,
  `insert into route_decision (id, started_at, stored_at, facet, token_id, request_id, decision)
   select id, started_at, finished_at, ${DECISION_FACET}, token_id, request_id, decision from request_record_told
   where decision is not null`,
  `insert into record_facet
   select distinct on (1, facet) ${MONTH}, facet, project_id, provider_id, model_group(model), status, error_class,
     stream, cache
   from request_record order by 1, facet`,
  `insert into decision_facet
   select distinct on (1, 2) ${MONTH}, ${DECISION_FACET}, project_id, alias_id, error_class, sticky_hit, fallback_used,
     asked_ids
   from request_record_told where decision is not null order by 1, 2`,
  `insert into record_token
   select distinct ${MONTH}, token_id, project_id from request_record where token_id is not null`,
  'drop view request_record_told',
  'drop table request_record_before',

  // The newest first. With the facet, so that of many rows those are known that are not wanted.
  ...['request_record', 'route_decision'].flatMap((table) => [
    `create index ${table}_started on ${table} (started_at desc, id desc) include (facet)`,
    `create index ${table}_facet on ${table} (facet, started_at desc, id desc)`,
    `create index ${table}_token on ${table} (token_id, started_at desc, id desc) include (facet)`,
    // Cut, because a client may send one longer than an index entry can be (2,704 bytes).
    `create index ${table}_request on ${table} (left(request_id, 200), started_at desc, id desc)`,
  ]),
  `create index request_record_latency on request_record (latency_class(latency_ms), started_at desc, id desc) include (facet)`,
  `create index request_record_cost on request_record (cost_class(cost_usd), started_at desc, id desc) include (facet)
   where cost_usd > 0`,
  'create index request_record_stored on request_record (stored_at, id)',
  // Where the extension can't be had, a search reads record by record.
  `do $$
   begin
     create extension if not exists pg_trgm;
   exception when others then
     null;
   end $$`,
  `do $$
   declare operators text;
   begin
     select nspname into operators
     from pg_extension join pg_namespace on pg_namespace.oid = extnamespace where extname = 'pg_trgm';
     if found then
       execute format(
         'create index request_record_search on request_record
          using gin (searched_text(model, request_id, error_message, user_key) %I.gin_trgm_ops)', operators
       );
     end if;
   end $$`,
]

function dropIndex(name: string): string {
  return `drop index request_record_${name}`
}
