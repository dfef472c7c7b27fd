/** Which subject is bound to which route, as the records of proxies tell: what operators see and clear. */
import type { RequestRecord, StickyScope } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Scope } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import { notCleared } from './clears.ts'

/** An entry of the index holds no more. */
const MOST_KEY_BYTES = 2_000
/** Of those that are not kept any longer, how many are deleted at once. */
const MOST_FORGOTTEN = 10_000

/** As in a proxy, one that has expired is kept for another lifetime, in which it can be said that it has. */
const FORGET_AT = 'expires_at + (expires_at - used_at)'
const hourOf = (moment: string): string => `floor(extract(epoch from ${moment}) / 3600)::integer`

/** The later binding stands, and of one binding its later use. */
const UPSERT = `
  insert into sticky_binding (key, alias_id, scope, route_id, backend, bound_at, expires_at, used_at, forget_hour)
  select distinct on (key) key, alias_id, scope, route_id, backend, bound_at, expires_at, used_at, ${hourOf(FORGET_AT)} + 1
  from jsonb_to_recordset(?::jsonb) as told (
    key text, alias_id uuid, scope text, route_id uuid, backend text,
    bound_at timestamptz, expires_at timestamptz, used_at timestamptz
  )
  where expires_at > now() and ${notCleared('told')}
  order by key, bound_at desc, used_at desc
  on conflict (key) do update set
    alias_id = excluded.alias_id, scope = excluded.scope, route_id = excluded.route_id, backend = excluded.backend,
    bound_at = excluded.bound_at, expires_at = excluded.expires_at, used_at = excluded.used_at,
    forget_hour = excluded.forget_hour
  where (excluded.bound_at, excluded.used_at) > (sticky_binding.bound_at, sticky_binding.used_at)`

const FORGET = `
  with gone as (
    delete from sticky_binding where key in (
      select key from sticky_binding where forget_hour <= ${hourOf('now()')} order by forget_hour limit ? for update skip locked
    ) returning 1
  )
  select count(*)::integer as gone from gone`

/** A binding that has not been cleared; it may have expired. */
export interface StoredBinding {
  readonly key: string
  readonly scope: StickyScope
  readonly aliasId: string
  readonly routeId: string
  /** Where it is kept. */
  readonly backend: string
  readonly boundAt: Date
  readonly expiresAt: Date
}

interface Row extends Omit<StoredBinding, 'boundAt' | 'expiresAt'> {
  readonly boundAt: string
  readonly expiresAt: string
}

const COLUMNS = `key, scope, alias_id as "aliasId", route_id as "routeId", backend,
  bound_at as "boundAt", expires_at as "expiresAt"`

export class BindingStore {
  readonly #database: Database
  readonly #log: Logger

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /** Notes the bindings that records tell of. What fails is told of again by the binding's next use. */
  async note(records: readonly RequestRecord[]): Promise<void> {
    const told = records.flatMap(toldBy)
    if (told.length === 0) return
    try {
      await this.#database.em().execute(UPSERT, [JSON.stringify(told)])
    } catch (error) {
      this.#log.warn({ reason: (error as Error).message }, 'could not note sticky bindings')
    }
  }

  /** One that is live, or has expired no longer ago than it lives. */
  async find(key: string): Promise<StoredBinding | null> {
    const [row] = await this.#database.em().execute<Row[]>(
      `select ${COLUMNS} from sticky_binding as bound
         where key = ? and ${FORGET_AT} > now() and ${notCleared('bound')}`,
      [key],
    )
    return row ? toBinding(row) : null
  }

  /**
   * An alias's live ones whose route there still is, in the order of their keys.
   * @param key null: any
   * @param after the key after which they begin; null: with the first
   */
  async list(
    scope: Scope,
    aliasId: string,
    key: string | null,
    after: string | null,
    limit: number,
  ): Promise<StoredBinding[]> {
    const own = scope.ownRows("split_part(key, ':', 2)")
    const rows = await this.#database.em().execute<Row[]>(
      `select ${COLUMNS} from sticky_binding as bound
       where alias_id = ? and (?::text is null or key = ?) and key > ? and expires_at > now()
         and ${notCleared('bound')}
         and exists (select from route where route.id = route_id)
         ${own.map(({ sql }) => `and ${sql}`).join(' ')}
       order by key limit ?`,
      [aliasId, key, key, after ?? '', ...own.flatMap(({ values }) => values), limit],
    )
    return rows.map(toBinding)
  }

  /** Deletes those that are not kept any longer. @param signal ends it between two statements */
  async forgetExpired(signal: AbortSignal): Promise<void> {
    for (let gone = MOST_FORGOTTEN; gone === MOST_FORGOTTEN;) {
      signal.throwIfAborted()
      const [row] = await this.#database.em().execute<{ gone: number }[]>(FORGET, [MOST_FORGOTTEN])
      gone = row!.gone
    }
  }
}

function toBinding(row: Row): StoredBinding {
  return { ...row, boundAt: new Date(row.boundAt), expiresAt: new Date(row.expiresAt) }
}

/** What a record tells of a binding, as a row of the table. */
function toldBy({ aliasId, startedAt, decision }: RequestRecord): Readonly<Record<string, string>>[] {
  if (aliasId === null || decision === null) return []
  const { key, scope, routeId, backend, boundAt, expiresAt } = decision.sticky
  if (key === null || routeId === null || boundAt === null || expiresAt === null) return []
  if (Buffer.byteLength(key) > MOST_KEY_BYTES) return []
  const times = { bound_at: boundAt, expires_at: expiresAt, used_at: startedAt }
  return [{ key, alias_id: aliasId, scope, route_id: routeId, backend, ...times }]
}
