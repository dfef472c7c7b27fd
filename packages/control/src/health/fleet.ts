/** How the proxies that are online do, as they last said. */
import type { HealthReport, ProviderHealthReport, RouteHealthReport } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { joined } from '../db/joined.ts'
import { ONLINE_SECONDS } from '../proxies/online.ts'

/** What one proxy says of what it sends requests by. */
export interface ProxyHealth {
  /** By the route's id. */
  readonly routes: ReadonlyMap<string, RouteHealthReport>
  /** By the id of an upstream key that is cooling down: until when, in milliseconds since 1970. */
  readonly coolingCredentials: ReadonlyMap<string, number>
}

/** The online proxies' reports at one moment. */
export interface FleetHealth {
  readonly proxies: readonly ProxyHealth[]
  /** What they say of each provider, by its id. */
  readonly providers: ReadonlyMap<string, readonly ProviderHealthReport[]>
}

interface Known extends ProxyHealth {
  /** Of the row: its transaction's. */
  readonly version: string
  readonly providers: readonly ProviderHealthReport[]
}

interface Row {
  readonly id: string
  readonly version: string
  /** Null where the known version is this one. */
  readonly health: HealthReport | null
}

/** Reports are large and mostly old: only those that have changed since the last look are read. */
const SELECT = `
  select proxy.id, proxy.xmin::text as version,
    case when known.version is distinct from proxy.xmin::text then proxy.health end as health
  from proxy_instance as proxy
  left join jsonb_to_recordset(?::jsonb) as known (id uuid, version text) on known.id = proxy.id
  where proxy.last_seen_at >= now() - make_interval(secs => ?)
  order by proxy.started_at, proxy.id`

export class Fleet {
  readonly #database: Database
  #known = new Map<string, Known>()
  #health: FleetHealth = gather([])
  readonly #read = joined(() => this.#readNow())

  constructor(database: Database) {
    this.#database = database
  }

  /** As the database has it now; questions that come at the same time are one. */
  current(): Promise<FleetHealth> {
    return this.#read()
  }

  async #readNow(): Promise<FleetHealth> {
    const versions = Array.from(this.#known, ([id, { version }]) => ({ id, version }))
    const rows = await this.#database.em().execute<Row[]>(SELECT, [JSON.stringify(versions), ONLINE_SECONDS])
    const isSame = rows.length === this.#known.size && rows.every(({ health }) => health === null)
    if (isSame) return this.#health
    const known = rows.map(({ id, version, health }) => {
      return [id, health === null ? this.#known.get(id)! : knownFrom(version, health)] as const
    })
    this.#known = new Map(known)
    this.#health = gather([...this.#known.values()])
    return this.#health
  }
}

function knownFrom(version: string, { providers, routes, credentials }: HealthReport): Known {
  return {
    version,
    providers,
    routes: new Map(routes.map((route) => [route.routeId, route])),
    coolingCredentials: new Map(
      credentials.map(({ credentialId, coolingUntil }) => [credentialId, Date.parse(coolingUntil)]),
    ),
  }
}

function gather(proxies: readonly Known[]): FleetHealth {
  const reports = proxies.flatMap(({ providers }) => providers)
  return { proxies, providers: Map.groupBy(reports, ({ providerId }) => providerId) }
}
