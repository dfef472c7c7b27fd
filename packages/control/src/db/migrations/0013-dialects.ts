import { Migration } from '@mikro-orm/migrations'

/** What aliases are told of parameters that a provider does not know, and providers' being tried. */
export class Migration0013 extends Migration {
  override up(): void {
    for (const statement of STATEMENTS) this.addSql(statement)
  }
}

const STATEMENTS: readonly string[] = [
  `alter table alias add column unknown_parameters text not null default 'DROP'`,
  // JSON. Of a question: what one process is to try; null: nothing. Of an answer: how that went.
  'alter table proxy_question add column test text',
  'alter table proxy_answer add column test text',
]
