import { Migration } from '@mikro-orm/migrations'

/** What proxies are asked, and what they have answered. */
export class Migration0011 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

/** Not logged: they live for seconds, and whoever asked when the server fails asks again. */
const STATEMENTS: readonly string[] = [
  // asker: the control process that waits for answers. request_id null: all requests. projects null: of any.
  `create unlogged table proxy_question (
    id uuid primary key,
    asker uuid not null,
    request_id uuid,
    projects uuid[],
    cancel boolean not null,
    at ${INSTANT} not null default clock_timestamp()
  )`,
  // Of processes that are connected to another control process than the one that asks, which takes it. processes: how many
  // that proxy has. in_flight: a JSON list.
  `create unlogged table proxy_answer (
    question_id uuid not null references proxy_question (id) on delete cascade,
    proxy_id uuid not null,
    process_id uuid not null,
    processes integer not null,
    cancelled boolean not null,
    in_flight text not null,
    primary key (question_id, process_id)
  )`,
]
