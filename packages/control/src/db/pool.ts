/** Keeps connections that are gone out of the driver's pool. Must never know what is asked on them. */

/** As much of `pg` as is used here. */
export interface PgClient {
  query<R>(sql: string, values?: readonly unknown[]): Promise<{ rows: R[] }>
  on(event: 'notification', listener: (notification: { readonly channel: string }) => void): void
  on(event: 'error' | 'end', listener: () => void): void
  release(destroy?: boolean): void
}
export interface PgPool {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  connect(): Promise<PgClient>
  on(event: 'connect' | 'acquire', listener: (client: PgClient) => void): void
  on(event: 'release', listener: (error: unknown, client: PgClient) => void): void
}

/** What `pg` calls an answer that did not come within `query_timeout`. */
const READ_TIMEOUT = 'Query read timeout'

/**
 * Takes a connection out of the pool as soon as it is lost or has gone silent. Two hazards: `pg` itself puts one whose
 * query has timed out back, where the next query waits in vain; and Kysely never gives one back on which `begin` or
 * `rollback` has failed, so that each would cost the pool a place for ever.
 */
export function dropLostConnections(pool: PgPool): void {
  const held = new WeakSet<PgClient>()
  const drop = (client: PgClient): void => {
    if (!held.has(client)) return
    client.release(true)
    // Whoever holds it gives it back once more.
    client.release = () => undefined
  }
  pool.on('acquire', (client) => held.add(client))
  pool.on('release', (_error, client) => held.delete(client))
  pool.on('connect', (client) => {
    const query = client.query.bind(client)
    client.query = async <R>(sql: string, values?: readonly unknown[]) => {
      try {
        return await query<R>(sql, values)
      } catch (error) {
        if ((error as Error).message === READ_TIMEOUT) drop(client)
        throw error
      }
    }
    client.on('end', () => drop(client))
  })
}
