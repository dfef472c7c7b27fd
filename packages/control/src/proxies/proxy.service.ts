import { NO_CACHE_REPORT, parseCacheReport, parseHealth, wholeNumber, type CacheReport } from '@millrace/shared'
import * as z from 'zod'

import type { Database } from '../db/database.ts'
import { storable } from '../db/storable.ts'
import { badInput } from '../graphql/errors.ts'
import { idText, lineOfText, readInput } from '../graphql/input.ts'
import { HEALTH_CHANNEL } from '../health/channel.ts'
import { ONLINE_SECONDS } from './online.ts'
import { ProxyInstance } from './proxy.entity.ts'
import { toProxyInstance, type ProxyInstanceType, type ProxyReportInput } from './proxy.type.ts'

const count = wholeNumber(0, 2_147_483_647)
const reportInput = z.object({
  id: idText,
  version: lineOfText(200),
  startedAt: z.date(),
  configRevision: count,
  inFlight: count,
  requestsPerSecond: z.number().min(0, 'must be 0 or more'),
  recordsQueued: count,
  recordsDropped: count,
})

/** The health is large, and stored out of the row: one that is the same is left where it is. */
const UPSERT = `
  with reported as (
    insert into proxy_instance as known (
      id, version, started_at, last_seen_at, config_revision, in_flight, requests_per_second, records_queued, records_dropped, health,
      cache
    )
    values (?, ?, ?, now(), ?, ?, ?, ?, ?, ?::jsonb, ?::jsonb)
    on conflict (id) do update set
      last_seen_at = excluded.last_seen_at, config_revision = excluded.config_revision, in_flight = excluded.in_flight,
      requests_per_second = excluded.requests_per_second, records_queued = excluded.records_queued,
      records_dropped = excluded.records_dropped, cache = excluded.cache,
      health = case when known.health = excluded.health then known.health else excluded.health end
    returning 1
  )
  select pg_notify(?, '') from reported`

/** Of what all have reported of one name: no larger than what JSON readers tell apart. A proxy of before has reported none. */
function sumOf(name: string): string {
  const sum = `coalesce(sum((cache->>'${name}')::numeric), 0)`
  return `least(${sum}, ${Number.MAX_SAFE_INTEGER})::double precision as "${name}"`
}

const CACHE_STATS = `
  select ${Object.keys(NO_CACHE_REPORT).map(sumOf).join(', ')}
  from proxy_instance where last_seen_at >= now() - make_interval(secs => ?)`

/** The proxies, as they report themselves. */
export class ProxyService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The longest seen first. */
  async list(): Promise<ProxyInstanceType[]> {
    const em = this.#database.em()
    const [clock] = await em.execute<{ now: string }[]>('select now() as now')
    const onlineSince = new Date(clock!.now).getTime() - ONLINE_SECONDS * 1_000
    const rows = await em.findAll(ProxyInstance, { orderBy: { startedAt: 'asc', id: 'asc' } })
    return rows.map((row) => toProxyInstance(row, row.lastSeenAt.getTime() >= onlineSince))
  }

  /** The sum of what those that are online have reported. */
  async cacheStats(): Promise<CacheReport> {
    const [row] = await this.#database.em().execute<CacheReport[]>(CACHE_STATS, [ONLINE_SECONDS])
    return row!
  }

  /** Takes a proxy's report, and says that there is one; forgets those that have not been seen for a day. */
  async report(report: ProxyReportInput): Promise<void> {
    const { id, version, startedAt, configRevision, inFlight, requestsPerSecond, recordsQueued, recordsDropped } =
      readInput(reportInput, report, 'report')
    const health = JSON.stringify(readReport(parseHealth, report.health, 'report.health'))
    const cache = JSON.stringify(readReport(parseCacheReport, report.cache, 'report.cache'))
    const em = this.#database.em()
    const row = [id, version, startedAt, configRevision, inFlight, requestsPerSecond, recordsQueued, recordsDropped]
    await em.execute(UPSERT, [...row, health, cache, HEALTH_CHANNEL])
    await em.execute("delete from proxy_instance where last_seen_at < now() - interval '1 day'")
  }
}

function readReport<T>(parse: (value: unknown) => T, value: unknown, field: string): T {
  try {
    return storable(parse(value))
  } catch (error) {
    throw badInput(field, (error as Error).message)
  }
}
