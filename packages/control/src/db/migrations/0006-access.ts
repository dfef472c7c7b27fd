import { Migration } from '@mikro-orm/migrations'

/** Admin keys that are bound to projects, audit events that are told as they come, and the master key's change. */
export class Migration0006 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

const STATEMENTS = [
  `alter table admin_key
    add column project_ids uuid[],
    add constraint admin_key_bound_to_some check (cardinality(project_ids) > 0)`,
  'create index admin_key_prefix on admin_key (prefix) where revoked_at is null',
  // number: in the order in which they became visible.
  'alter table audit_event add column number bigserial',
  'create unique index audit_event_number on audit_event (number)',
  'create index audit_event_project on audit_event (project_id, id desc)',
  // What is sealed is sealed under the current one; under others, until all that was sealed under them is sealed anew.
  `alter table master_key add column current boolean not null default true`,
  `create unique index master_key_current on master_key (current) where current`,
  'create index provider_credential_sealed on provider_credential (id) where sealed is not null',
]
