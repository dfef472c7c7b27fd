import { Migration } from '@mikro-orm/migrations'

/** The tables of configuration, of its history, and of request records. */
export class Migration0001 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

const STATEMENTS = [
  `create table master_key (
    id text primary key,
    created_at ${INSTANT} not null default now()
  )`,
  `create table admin_key (
    id uuid primary key,
    name text not null,
    role text not null,
    prefix text not null,
    digest text not null,
    created_at ${INSTANT} not null,
    last_used_at ${INSTANT},
    revoked_at ${INSTANT},
    constraint admin_key_digest_unique unique (digest)
  )`,
  `create table project (
    id uuid primary key,
    name text not null,
    active boolean not null,
    deactivated_at ${INSTANT},
    created_at ${INSTANT} not null,
    updated_at ${INSTANT} not null,
    constraint project_name_unique unique (name)
  )`,
  `create table provider (
    id uuid primary key,
    name text not null,
    kind text not null,
    base_url text,
    enabled boolean not null,
    timeouts jsonb not null,
    settings jsonb not null,
    created_at ${INSTANT} not null,
    updated_at ${INSTANT} not null,
    constraint provider_name_unique unique (name)
  )`,
  `create table provider_credential (
    id uuid primary key,
    provider_id uuid not null references provider on delete cascade,
    project_id uuid references project,
    label text,
    fingerprint text not null,
    sealed text,
    env text,
    entered_for text,
    enabled boolean not null,
    created_at ${INSTANT} not null,
    constraint provider_credential_one_secret check ((sealed is null) <> (env is null)),
    constraint provider_credential_unique unique nulls not distinct (provider_id, project_id, fingerprint)
  )`,
  `create table alias (
    id uuid primary key,
    name text not null,
    project_id uuid references project,
    enabled boolean not null,
    strategy text not null,
    created_at ${INSTANT} not null,
    updated_at ${INSTANT} not null,
    constraint alias_name_unique unique nulls not distinct (name, project_id)
  )`,
  `create table route (
    id uuid primary key,
    alias_id uuid not null references alias on delete cascade,
    provider_id uuid not null references provider,
    name text,
    provider_model text,
    priority integer not null,
    weight integer not null,
    enabled boolean not null,
    position integer not null
  )`,
  'create index route_alias on route (alias_id)',
  'create index route_provider on route (provider_id)',
  `create table token (
    id uuid primary key,
    project_id uuid not null references project,
    name text not null,
    prefix text not null,
    digest text not null,
    expires_at ${INSTANT},
    metadata jsonb,
    revoked_at ${INSTANT},
    created_at ${INSTANT} not null,
    updated_at ${INSTANT} not null,
    constraint token_digest_unique unique (digest)
  )`,
  'create index token_project on token (project_id, id)',
  `create table config_revision (
    number integer primary key,
    created_at ${INSTANT} not null,
    author text not null,
    message text,
    changes jsonb not null
  )`,
  `create table audit_event (
    id uuid primary key,
    at ${INSTANT} not null,
    actor text not null,
    action text not null,
    subject text,
    project_id uuid,
    result text not null,
    request_id text,
    client_ip text,
    details jsonb
  )`,
  // What a record names may be gone before it: plain ids, no foreign keys.
  `create table request_record (
    id uuid primary key,
    request_id text not null,
    started_at ${INSTANT} not null,
    finished_at ${INSTANT} not null,
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
    input_tokens integer not null,
    output_tokens integer not null,
    cached_input_tokens integer not null,
    reasoning_tokens integer not null,
    usage_source text not null,
    latency_ms double precision not null,
    time_to_first_token_ms double precision,
    overhead_ms double precision not null,
    attempts jsonb not null,
    user_key text,
    conversation_key text,
    metadata jsonb,
    config_revision integer not null,
    proxy_id uuid not null
  )`,
  'create index request_record_started on request_record (started_at desc, id desc)',
  'create index request_record_project on request_record (project_id, started_at desc, id desc)',
  'create index request_record_token on request_record (token_id, started_at desc, id desc)',
  'create index request_record_provider on request_record (provider_id, started_at desc, id desc)',
  // Cut, because a client may send a model name longer than an index entry can be (2,704 bytes).
  'create index request_record_model on request_record (left(model, 200), started_at desc, id desc)',
  'create index request_record_request on request_record (left(request_id, 200), started_at desc, id desc)',
  `create index request_record_failed on request_record (started_at desc, id desc) where status <> 'SUCCESS'`,
  `create table proxy_instance (
    id uuid primary key,
    version text not null,
    started_at ${INSTANT} not null,
    last_seen_at ${INSTANT} not null,
    config_revision integer not null,
    in_flight integer not null,
    requests_per_second double precision not null,
    records_queued integer not null,
    records_dropped integer not null
  )`,
]
