import { Migration } from '@mikro-orm/migrations'

/**
 * What was spent and used, beginning with the records that are stored. Those of before don't say whether they count towards
 * a quota: the ones that were tried at a provider do.
 */
export class Migration0005 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

const STATEMENTS = [
  `alter table request_record
    add column counted boolean not null default false,
    add column cache_write_tokens integer not null default 0,
    add column input_audio_tokens integer not null default 0,
    add column output_audio_tokens integer not null default 0`,
  // Told by records, which may name what is gone: no foreign keys. What changes in a row stands in no index, so that its page
  // has room for it (HOT).
  `create table subject_spend (
    subject_id uuid not null,
    day date not null,
    spent numeric not null,
    primary key (subject_id, day)
  ) with (fillfactor = 70)`,
  `create table token_use (
    token_id uuid primary key,
    requests bigint not null,
    cache_hits bigint not null default 0,
    last_used_at ${INSTANT} not null
  ) with (fillfactor = 50)`,
  `create table credential_use (
    provider_id uuid not null,
    fingerprint text not null,
    last_used_at ${INSTANT} not null,
    primary key (provider_id, fingerprint)
  ) with (fillfactor = 50)`,
  `insert into subject_spend (subject_id, day, spent)
   select subject_id, (started_at at time zone 'UTC')::date as day, sum(cost_usd)
   from request_record cross join lateral (values (project_id), (token_id)) as subject (subject_id)
   where subject_id is not null and cost_usd > 0
   group by subject_id, day`,
  `insert into token_use (token_id, requests, last_used_at)
   select token_id, count(*) filter (where attempts <> '[]'), max(started_at)
   from request_record where token_id is not null group by token_id`,
]
