/** How the proxies that are online do, as they last said. */
import type { CredentialHealthReport, HealthReport, ProviderHealthReport, RouteFigures } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { joined } from '../db/joined.ts'
import { ONLINE_SECONDS } from '../proxies/online.ts'

/** What one proxy says of what it sends requests by. What it says nothing of, it has nothing against. */
export interface ProxyHealth {
  /** By the provider's id. */
  readonly providers: ReadonlyMap<string, ProviderHealthReport>
  /** By the route's id. */
  readonly routes: ReadonlyMap<string, RouteFigures>
  /** Of the ways to providers that are addressed directly, by the provider's id. */
  readonly direct: ReadonlyMap<string, RouteFigures>
  /** By the upstream key's id. */
  readonly credentials: ReadonlyMap<string, CredentialHealthReport>
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
}

/** Control of an older version knows nothing of `direct`. */
type StoredHealth = Omit<HealthReport, 'direct'> & Partial<HealthReport>

interface Row {
  readonly id: string
  readonly version: string
  /** Null where the known version is this one. */
  readonly health: StoredHealth | null
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

function knownFrom(version: string, { providers, routes, direct = [], credentials }: StoredHealth): Known {
  return {
    version,
    providers: new Map(providers.map((provider) => [provider.providerId, provider])),
    routes: new Map(routes.map((route) => [route.routeId, route])),
    direct: new Map(direct.map((route) => [route.providerId, route])),
    credentials: new Map(credentials.map((credential) => [credential.credentialId, credential])),
  }
}

function gather(proxies: readonly Known[]): FleetHealth {
  const reports = proxies.flatMap(({ providers }) => [...providers.values()])
  return { proxies, providers: Map.groupBy(reports, ({ providerId }) => providerId) }
}
