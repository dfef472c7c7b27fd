/** Many records in a database at once, as if they had come one by one over days: by the database itself, day by day. */
import type pg from 'pg'

type Client = InstanceType<(typeof pg)['Client']>

const DAY_MS = 86_400_000

/** What records are of. Those of low numbers have most of them. */
export interface Cast {
  readonly projects: readonly string[]
  /** Each is the project's whose number is its own, counted round. */
  readonly tokens: readonly string[]
  readonly aliases: readonly string[]
  readonly providers: readonly string[]
  readonly models: readonly string[]
}

export interface Filling {
  readonly records: number
  readonly days: number
  /** Of the last days, with a decision. */
  readonly decidedDays: number
  readonly cast: Cast
}

export function castOf(): Cast {
  const ids = (kind: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `00000000-0000-7000-8${kind}00-${String(i).padStart(12, '0')}`)
  return {
    projects: ids(1, 40),
    tokens: ids(2, 800),
    aliases: ids(3, 120),
    providers: ids(4, 8),
    models: Array.from({ length: 24 }, (_, i) => `vendor-${i % 5}/model-${i}-large`),
  }
}

/** One day's, into a table of its own. $1: its first moment, $2: how many, then arrays of the cast. */
const RECORDS = (table: string): string => `
  insert into ${table} (
    id, request_id, started_at, finished_at, stored_at, facet, project_id, token_id, endpoint, model, alias_id, provider_id,
    provider_model, stream, status, http_status, error_class, error_message, cache, cache_tier, billed, input_tokens,
    output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens,
    usage_source, counted, cost_usd, latency_ms, time_to_first_token_ms, overhead_ms, attempts, user_key, conversation_key,
    metadata, config_revision, proxy_id
  )
  select
    id, request_id, at, at + latency_ms * interval '1 ms', at + latency_ms * interval '1 ms',
    record_facet_of(project_id, provider_id, model, status, error_class, stream, cache),
    project_id, token_id, '/v1/chat/completions', model, alias_id, provider_id, model, stream, status, http_status,
    error_class, error_message, cache, case cache when 'HIT' then 'MEMORY' end, cache <> 'HIT', input_tokens, output_tokens,
    0, 0, 0, 0, 0, 'PROVIDER', status <> 'REJECTED', round(((input_tokens + 4 * output_tokens) * price / 1e6)::numeric, 8),
    latency_ms, case when stream then latency_ms / 5 end, 0.4,
    jsonb_build_array(jsonb_build_object(
      'index', 0, 'routeId', alias_id, 'providerId', provider_id, 'providerName', 'provider', 'providerModel', model,
      'startedAt', to_json(at), 'latencyMs', latency_ms, 'timeToFirstTokenMs', null, 'upstreamStatus', http_status,
      'errorClass', error_class, 'errorMessage', error_message, 'upstreamUrl', 'https://upstream.example/v1/chat/completions',
      'contentType', 'application/json', 'credentialSource', 'PROVIDER', 'credentialFingerprint', 'sha256:0123456789abcdef',
      'hedged', false
    )),
    'user-' || floor(20000 * r3 ^ 3), null, '{"team": "a"}', 7, '00000000-0000-7000-8500-000000000001'
  from (
    select *,
      ($3::uuid[])[1 + token % 40] as project_id, ($4::uuid[])[1 + token] as token_id, ($5::uuid[])[1 + token % 120] as alias_id,
      ($6::uuid[])[1 + model_number % 8] as provider_id, ($7::text[])[1 + model_number] as model,
      exp(5 + model_number % 3 + 2.2 * r3 + 4 * greatest(r4, 0.5) ^ 40)::numeric(12, 3)::double precision as latency_ms,
      (20 + 4000 * r4 ^ 3)::integer as input_tokens, (5 + 1500 * r5 ^ 4)::integer as output_tokens,
      (0.1 + model_number % 7 + 400 * greatest(r1, 0.5) ^ 60) as price,
      case when kind < 0.93 then 'SUCCESS' when kind < 0.97 then 'ERROR' when kind < 0.98 then 'TIMEOUT'
        when kind < 0.99 then 'CANCELLED' else 'REJECTED' end as status,
      case when kind < 0.93 then 200 when kind < 0.97 then 502 when kind < 0.98 then 504 when kind < 0.99 then 499 else 429
        end as http_status,
      case when kind < 0.93 then null when kind > 0.969995 and kind < 0.97 then 'upstream_credentials_exhausted'
        when kind < 0.97 then 'all_routes_failed' when kind < 0.98 then 'upstream_timeout' when kind < 0.99 then 'client_cancelled'
        else 'rate_limit_exceeded' end as error_class,
      case when kind >= 0.93 and kind < 0.97 then 'the provider answered 503: overloaded, incident ' || floor(1000 * r5) end
        as error_message,
      case when r5 < 0.08 then 'HIT' when r5 < 0.3 then 'MISS' else 'BYPASS' end as cache,
      r1 < 0.6 as stream,
      (left(hex, 8) || '-' || substr(hex, 9) || '-7' || substr(digest, 1, 3) || '-8' || substr(digest, 4, 3) || '-' ||
        substr(digest, 7, 12))::uuid as id,
      (left(digest, 8) || '-' || substr(digest, 9, 4) || '-4' || substr(digest, 13, 3) || '-9' || substr(digest, 16, 3) || '-' ||
        substr(digest, 19, 12)) as request_id
    from (
      select *, (token * 7 + floor(6 * r2 ^ 2)::integer) % 24 as model_number,
        lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') as hex, md5(number::text || at::text) as digest
      from (
        select number, date_trunc('milliseconds', $1::timestamptz + (number - random()) * (interval '24 hours' / $2::integer)) as at,
          floor(800 * random() ^ 3)::integer as token,
          random() as kind, random() as r1, random() as r2, random() as r3, random() as r4, random() as r5
        from generate_series(1, $2::integer) as number
      ) as drawn
    ) as numbered
  ) as told`

const FACETS = (table: string): string => `
  insert into record_facet
  select distinct on (1, facet) date_trunc('month', started_at at time zone 'UTC')::date, facet, project_id, provider_id,
    model_group(model), status, error_class, stream, cache
  from ${table} order by 1, facet on conflict do nothing`

const TOKENS = (table: string): string => `
  insert into record_token
  select distinct date_trunc('month', started_at at time zone 'UTC')::date, token_id, project_id from ${table}
  on conflict do nothing`

const DECIDED = (table: string): string => `
  select id, started_at, stored_at, token_id, request_id, project_id, alias_id, error_class, false as sticky_hit,
    latency_ms > 8000 as fallback_used, array[alias_id, provider_id] as asked_ids,
    jsonb_build_object(
      'strategy', 'WEIGHTED', 'candidates', jsonb_build_array(jsonb_build_object(
        'routeId', alias_id, 'providerId', provider_id, 'providerName', 'provider', 'providerModel', model, 'priority', 0,
        'weight', 1, 'score', 1, 'excluded', null, 'selected', true
      )),
      'sticky', jsonb_build_object('scope', 'NONE', 'key', null, 'routeId', null, 'hit', false, 'action', 'NONE', 'backend',
        'memory', 'boundAt', null, 'expiresAt', null),
      'selectedRouteId', alias_id, 'fallbackUsed', latency_ms > 8000
    ) as decision
  from ${table} where status <> 'REJECTED'`

const DECISIONS = (table: string, records: string): string => `
  insert into ${table} (id, started_at, stored_at, facet, token_id, request_id, decision)
  select id, started_at, stored_at,
    decision_facet_of(project_id, alias_id, error_class, sticky_hit, fallback_used, asked_ids), token_id, request_id, decision
  from (${DECIDED(records)}) as decided`

const DECISION_FACETS = (records: string): string => `
  insert into decision_facet
  select distinct on (1, 2) date_trunc('month', started_at at time zone 'UTC')::date,
    decision_facet_of(project_id, alias_id, error_class, sticky_hit, fallback_used, asked_ids), project_id, alias_id,
    error_class, sticky_hit, fallback_used, asked_ids
  from (${DECIDED(records)}) as decided order by 1, 2 on conflict do nothing`

/** Fills the days before today. Each day's partition is filled before it gets its indexes, which is several times as fast. */
export async function fill(
  client: Client,
  { records, days, decidedDays, cast }: Filling,
  told: (line: string) => void,
): Promise<void> {
  await client.query(
    "set statement_timeout = 0; set maintenance_work_mem = '512MB'; set work_mem = '64MB'; set synchronous_commit = off",
  )
  const today = Math.floor(Date.now() / DAY_MS)
  const perDay = Math.ceil(records / days)
  const { projects, tokens, aliases, providers, models } = cast
  for (let day = today - days; day < today; day++) {
    const own = new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')
    const bounds = [day, day + 1].map((one) => new Date(one * DAY_MS).toISOString())
    const partition = async (table: string, work: (name: string) => Promise<void>): Promise<void> => {
      const name = `${table}_${own}`
      await client.query(`create table ${name} (like ${table} including all excluding indexes)`)
      await work(name)
      await client.query(
        `alter table ${table} attach partition ${name} for values from ('${bounds[0]}') to ('${bounds[1]}')`,
      )
      await client.query(`vacuum (analyze) ${name}`)
    }
    await partition('request_record', async (name) => {
      await client.query(RECORDS(name), [bounds[0], perDay, projects, tokens, aliases, providers, models])
      await client.query(FACETS(name))
      await client.query(TOKENS(name))
      if (day < today - decidedDays) return
      await partition('route_decision', async (decisions) => void (await client.query(DECISIONS(decisions, name))))
      await client.query(DECISION_FACETS(name))
    })
    told(`${((day - today + days + 1) * perDay).toLocaleString('en')} records`)
  }
  await client.query('analyze record_facet; analyze decision_facet; analyze record_token')
}
