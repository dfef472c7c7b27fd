import { Migration } from '@mikro-orm/migrations'

/** Answers that are given again: what aliases are told of them, what records and proxies tell, and their being purged. */
export class Migration0007 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

const STATEMENTS = [
  `alter table alias add column cache jsonb not null default '{}'`,
  `alter table request_record
    add column cache text not null default 'BYPASS',
    add column cache_tier text,
    add column billed boolean not null default true`,
  // Of aliases without a cache, nothing is in it.
  `create index request_record_cached on request_record (started_at desc, id desc) where cache <> 'BYPASS'`,
  `alter table proxy_instance add column cache jsonb not null default '{}'`,
  // One row of numbers for all that proxies are told to do, whatever it is.
  'alter sequence sticky_clear_number_seq owned by none',
  'alter sequence sticky_clear_number_seq rename to instruction_number',
  // number: in the order in which they became visible. project_id and model null: all answers.
  `create table cache_purge (
    number bigint primary key default nextval('instruction_number'),
    id uuid not null unique,
    project_id uuid,
    model text,
    at ${INSTANT} not null
  )`,
  // What processes of proxies have told. processes: how many that proxy has.
  `create table purge_done (
    purge_id uuid not null references cache_purge (id) on delete cascade,
    proxy_id uuid not null,
    process_id uuid not null,
    processes integer not null,
    count integer not null,
    primary key (purge_id, proxy_id, process_id)
  )`,
]
