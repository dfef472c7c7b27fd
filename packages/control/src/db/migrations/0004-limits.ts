import { Migration } from '@mikro-orm/migrations'

/** What tokens, projects and providers are held to, and secrets that were replaced. */
export class Migration0004 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

const STATEMENTS = [
  `alter table provider add column access jsonb not null default '{}'`,
  `alter table project
    add column limits jsonb not null default '{}',
    add column budget jsonb`,
  // retired: what a token's secret was before, as [{prefix, digest, until}], the last one first.
  `alter table token
    add column max_requests integer,
    add column limits jsonb not null default '{}',
    add column budget jsonb,
    add column retired jsonb not null default '[]'`,
  // Each state that few tokens of many may be in; listed by id.
  'create index token_revoked on token (id) where revoked_at is not null',
  'create index token_expiring on token (id) where revoked_at is null and expires_at is not null',
  'create index token_quota on token (id) where revoked_at is null and max_requests is not null',
]
