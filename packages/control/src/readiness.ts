/** Whether the control plane can serve, and how what it stands on is. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Database } from './db/database.ts'
import { joined } from './db/joined.ts'
import { migrations } from './db/migrations/index.ts'
import { ONLINE_SECONDS } from './proxies/online.ts'

/** How long the database may take to answer. */
const TIMEOUT_MS = 2_000

/** For anybody to read: no addresses, and nothing of what an error says. */
export interface ReadinessState {
  readonly ready: boolean
  /** Why it is not ready. */
  readonly problem: string | null
  /** Of the configuration that it tells proxies. */
  readonly revision: number
  readonly database: {
    readonly up: boolean
    readonly kind: 'embedded' | 'server'
    /** What it took to ask it; null: it did not answer. */
    readonly latencyMs: number | null
    /** Whether it has all tables of this version; null: not known. */
    readonly migrated: boolean | null
  }
  /** Only proxies speak to it: theirs says how it is. */
  readonly redis: 'configured' | 'none'
  /** Null: not known. */
  readonly proxiesOnline: number | null
}

interface Answer {
  readonly migrations: number
  readonly proxies: number
}

const QUESTION = `
  select
    (select count(distinct name)::integer from mikro_orm_migrations where name = any(?)) as migrations,
    (select count(*)::integer from proxy_instance where last_seen_at >= now() - make_interval(secs => ?)) as proxies`
const MIGRATIONS = `{${migrations.map(({ name }) => name).join(',')}}`

export interface ReadinessOptions {
  readonly databaseKind: 'embedded' | 'server'
  readonly hasRedis: boolean
}

export class Readiness {
  readonly #configuration: { readonly revision: number }
  readonly #options: ReadinessOptions
  /** However often it is asked, the database is asked once at a time. */
  readonly #ask: () => Promise<Answer & { readonly latencyMs: number }>

  /** @param configuration as it is served; a revision below 0: there is none */
  constructor(database: Database, configuration: { readonly revision: number }, options: ReadinessOptions) {
    this.#configuration = configuration
    this.#options = options
    this.#ask = joined(async () => {
      const began = performance.now()
      const [answer] = await database.em().execute<Answer[]>(QUESTION, [MIGRATIONS, ONLINE_SECONDS])
      return { ...answer!, latencyMs: Math.round((performance.now() - began) * 100) / 100 }
    })
  }

  /** Takes {@link TIMEOUT_MS} at most; never fails. */
  async state(): Promise<ReadinessState> {
    const late = new AbortController()
    const timeout = sleep(TIMEOUT_MS, null, { ref: false, signal: late.signal }).catch(() => null)
    const answer = await Promise.race([this.#ask().catch(() => null), timeout])
    late.abort()
    const { revision } = this.#configuration
    const migrated = answer && answer.migrations === migrations.length
    const problem = problemOf(answer !== null, migrated, revision)
    const { databaseKind: kind, hasRedis } = this.#options
    return {
      ready: problem === null,
      problem,
      revision,
      database: { up: answer !== null, kind, latencyMs: answer && answer.latencyMs, migrated },
      redis: hasRedis ? 'configured' : 'none',
      proxiesOnline: answer && answer.proxies,
    }
  }
}

function problemOf(isUp: boolean, migrated: boolean | null, revision: number): string | null {
  if (!isUp) return 'the database does not answer'
  if (migrated === false) return 'the database has the tables of an older version'
  return revision < 0 ? 'there is no configuration yet' : null
}
