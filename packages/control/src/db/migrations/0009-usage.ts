import { Migration } from '@mikro-orm/migrations'

/** What was used, summed up while records are stored; beginning with those that are there. */
export class Migration0009 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Of a series' sums from `start` on. Sketches: pairs of a bucket (int2) and its count (int4). */
const SUMS = `
    requests bigint not null,
    cache_hits bigint not null,
    coalesced bigint not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    cached_input_tokens bigint not null,
    reasoning_tokens bigint not null,
    cost_usd numeric not null,
    latency bytea not null,
    first_token bytea not null`

/** Of a time in milliseconds: its pair. As `bucketOf` has it. */
const pair = (column: string): string =>
  `int2send((case when ${column} > 0.1 then least(222, 1 + floor(ln(least(${column}, 1e12) / 0.1) / ln(1.1::double precision))) else 0 end)::smallint) || int4send(1)`

const STATEMENTS = [
  // What batches of records have added, until it is summed up: inserted only, so that batches never wait for each other.
  `create table usage_delta (
    minute timestamptz(0) not null,
    project_id uuid,
    token_id uuid,
    model text not null,
    provider_id uuid,
    provider_model text,
    status text not null,
    endpoint text not null,
    stream boolean not null,
    cache text not null,
    error_class text,
    requests bigint not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    cached_input_tokens bigint not null,
    reasoning_tokens bigint not null,
    cost_usd numeric not null,
    latency bytea not null,
    first_token bytea not null
  ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)`,
  // What sums are told apart by. id: a digest of all the rest. grain: which of the columns are told apart, the others are null.
  `create table usage_series (
    id uuid primary key,
    grain smallint not null,
    project_id uuid,
    token_id uuid,
    model text,
    provider_id uuid,
    provider_model text,
    status text,
    endpoint text,
    stream boolean,
    cache text,
    error_class text
  )`,
  'create index usage_series_project on usage_series (project_id, grain)',
  'create index usage_series_token on usage_series (token_id) where token_id is not null',
  // Most of what changes in a row stands in no index, so that its page has room for it (HOT).
  `create table usage_minute (
    series uuid not null,
    start timestamptz(0) not null,${SUMS},
    primary key (series, start)
  ) with (fillfactor = 80)`,
  'create index usage_minute_start on usage_minute (start)',
  ...['usage_hour', 'usage_day'].flatMap((table) => [
    `create table ${table} (
      grain smallint not null,
      series uuid not null,
      start timestamptz(0) not null,${SUMS},
      primary key (series, start, grain)
    ) partition by list (grain)`,
    ...[1, 2, 3, 4].map(
      (grain) => `create table ${table}_${grain} partition of ${table} for values in (${grain}) with (fillfactor = 80)`,
    ),
    `create index ${table}_start on ${table} (start)`,
  ]),
  // From which moment on there is all of it. Of days there always is.
  `create table usage_kept (
    what text primary key,
    since timestamptz(0) not null
  )`,
  `insert into usage_kept (what, since) values ('MINUTE', '1970-01-01Z'), ('HOUR', '1970-01-01Z'), ('RECORD', '1970-01-01Z')`,
  // A sketch in its shortest form: each bucket once.
  `create function usage_sketch(sketch bytea) returns bytea language sql immutable parallel safe as $$
    select coalesce(string_agg(bucket || int4send(least(count, 2147483647)::integer), ''::bytea order by bucket), ''::bytea)
    from (
      select substr(sketch, i * 6 + 1, 2) as bucket, sum(
        (get_byte(sketch, i * 6 + 2)::bigint << 24) + (get_byte(sketch, i * 6 + 3) << 16)
          + (get_byte(sketch, i * 6 + 4) << 8) + get_byte(sketch, i * 6 + 5)
      ) as count
      from generate_series(0, length(sketch) / 6 - 1) as i
      group by 1
    ) as counted
  $$`,
  `insert into usage_delta
   select date_trunc('minute', started_at, 'UTC'), project_id, token_id, model, provider_id, provider_model, status, endpoint,
     stream, cache, error_class, count(*),
     coalesce(sum(input_tokens) filter (where billed), 0), coalesce(sum(output_tokens) filter (where billed), 0),
     coalesce(sum(cached_input_tokens) filter (where billed), 0), coalesce(sum(reasoning_tokens) filter (where billed), 0),
     coalesce(sum(cost_usd) filter (where billed), 0),
     usage_sketch(string_agg(${pair('latency_ms')}, ''::bytea)),
     usage_sketch(coalesce(string_agg(${pair('time_to_first_token_ms')}, ''::bytea)
       filter (where time_to_first_token_ms is not null), ''::bytea))
   from request_record
   group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11`,
]
