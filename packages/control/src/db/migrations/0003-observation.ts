import { Migration } from '@mikro-orm/migrations'

/** What proxies tell of: decisions and costs of requests, health, sticky bindings. */
export class Migration0003 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

const STATEMENTS = [
  // asked_ids: the routes and providers that were attempted, or answered.
  `alter table request_record
    add column cost_usd numeric,
    add column decision jsonb,
    add column sticky_hit boolean,
    add column fallback_used boolean,
    add column asked_ids uuid[]`,
  'create index request_record_decided on request_record (started_at desc, id desc) where decision is not null',
  `create index request_record_alias on request_record (alias_id, started_at desc, id desc) where decision is not null`,
  'create index request_record_sticky on request_record (started_at desc, id desc) where sticky_hit',
  'create index request_record_fallback on request_record (started_at desc, id desc) where fallback_used',
  'create index request_record_asked on request_record using gin (asked_ids) where decision is not null',
  `alter table proxy_instance add column health jsonb not null default '{"providers": [], "routes": [], "credentials": []}'`,
  // Told by records, which may name what is gone: no foreign keys. Most of what changes in a row stands in no index, so that
  // its page has room for it (HOT). forget_hour: since 1970, from which on it may be deleted.
  `create table sticky_binding (
    key text primary key,
    alias_id uuid not null,
    scope text not null,
    route_id uuid not null,
    backend text not null,
    bound_at ${INSTANT} not null,
    expires_at ${INSTANT} not null,
    used_at ${INSTANT} not null,
    forget_hour integer not null
  ) with (fillfactor = 80)`,
  'create index sticky_binding_alias on sticky_binding (alias_id, key)',
  'create index sticky_binding_forget on sticky_binding (forget_hour)',
  // number: in the order in which they became visible. swept: the bindings that were there have been deleted.
  `create table sticky_clear (
    number bigserial primary key,
    id uuid not null,
    alias_id uuid not null,
    key text,
    at ${INSTANT} not null,
    swept boolean not null default false
  )`,
  'create index sticky_clear_alias on sticky_clear (alias_id, key, at)',
]
