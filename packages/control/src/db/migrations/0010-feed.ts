import { Migration } from '@mikro-orm/migrations'

/** What control processes tell each other of requests. */
export class Migration0010 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

/** Milliseconds, as everywhere in Millrace. */
const INSTANT = 'timestamptz(3)'

/** Unlogged: what is in them is of use for seconds only, and to processes that a crash of the server interrupts anyway. */
const STATEMENTS = [
  // Which control processes have subscribers, and to what.
  `create unlogged table feed_interest (
    process_id uuid primary key,
    records boolean not null,
    live boolean not null,
    expires_at ${INSTANT} not null
  )`,
  // Batches of events, for the other processes. number: an origin's batches in their order. first: how many events it had
  // for the others before these. events: a JSON array, as text, since nobody asks for its parts.
  `create unlogged table feed_relay (
    origin_id uuid not null,
    number bigint not null,
    first bigint not null,
    events text not null,
    at ${INSTANT} not null default clock_timestamp(),
    primary key (origin_id, number)
  )`,
  // To compress them would take longer than to write them.
  'alter table feed_relay alter column events set storage external',
]
