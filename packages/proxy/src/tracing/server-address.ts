import type { Connection } from '../providers/provider.ts'

export interface ServerAddress {
  /** Empty: it is nowhere but in this process. */
  readonly address: string
  /** Null: it has none. */
  readonly port: number | null
}

/** Of each connection, since reading a URL takes longer than all else that a span says. */
const known = new WeakMap<Connection, ServerAddress>()

/** Where a provider is. @param url one that it is asked at */
export function serverOf(connection: Connection, url: string): ServerAddress {
  let server = known.get(connection)
  if (server === undefined) {
    server = addressIn(url)
    known.set(connection, server)
  }
  return server
}

function addressIn(url: string): ServerAddress {
  const { hostname, port, protocol } = new URL(url)
  if (port !== '') return { address: hostname, port: Number(port) }
  return { address: hostname, port: protocol === 'https:' ? 443 : protocol === 'http:' ? 80 : null }
}
