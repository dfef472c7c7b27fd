import { Migration } from '@mikro-orm/migrations'

import { partitionStatements } from '../partitions.ts'

/** What debug captures have caught. */
export class Migration0012 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

const STATEMENTS: readonly string[] = [
  // One row. number: how often it was set. accepts_until: what was captured may come later than its end. room: bytes of
  // exchanges that may still be stored.
  `create table debug_capture (
    single boolean primary key default true check (single),
    number bigint not null default 0,
    enabled boolean not null default false,
    max_body_bytes integer not null,
    retention_hours integer not null,
    until ${INSTANT},
    tokens jsonb,
    models jsonb,
    accepts_until ${INSTANT} not null default '-infinity',
    room bigint not null default 0
  )`,
  'insert into debug_capture (max_body_bytes, retention_hours) values (65536, 24)',
  // Told by proxies, of tokens that may be gone: no foreign keys.
  `create table debug_exchange (
    id uuid not null,
    request_id text not null,
    at ${INSTANT} not null,
    project_id uuid,
    token_id uuid,
    method text not null,
    target text not null,
    model text,
    request_headers jsonb not null,
    request_body text,
    response_status integer not null,
    response_headers jsonb not null,
    response_body text,
    truncated boolean not null,
    stored_at ${INSTANT} not null default clock_timestamp(),
    expires_at ${INSTANT} not null,
    primary key (id, at)
  ) partition by range (at)`,
  ...partitionStatements('debug_exchange'),
  'create index debug_exchange_expires on debug_exchange (expires_at)',
  'create index debug_exchange_stored on debug_exchange (stored_at)',
]
