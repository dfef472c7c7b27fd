import { Migration } from '@mikro-orm/migrations'

/** What routing goes by: policies, conditions, prices, breakers, and what tokens may bring. */
export class Migration0002 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

const STATEMENTS = [
  `alter table provider
    add column direct boolean not null default false,
    add column max_concurrency integer,
    add column breaker jsonb not null default '{}',
    add column forced_breaker text,
    add column breaker_set_at timestamptz(3)`,
  `alter table alias
    add column sticky jsonb not null default '{}',
    add column retry jsonb not null default '{}',
    add column hedge jsonb,
    add column timeouts jsonb not null default '{}'`,
  `alter table route
    add column condition jsonb,
    add column input_price numeric,
    add column output_price numeric,
    add column cached_input_price numeric`,
  `alter table token add column access jsonb not null default '{}'`,
]
