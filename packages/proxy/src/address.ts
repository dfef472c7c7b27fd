/** Where a proxy listens. */
import type { AddressInfo, Server } from 'node:net'

import { SettingsError, type Settings } from '@millrace/shared'

/**
 * Listens where the settings say.
 * @returns the address, as this machine reaches it
 * @throws SettingsError if that isn't possible
 */
export function listen(server: Server, settings: Settings): Promise<string> {
  const { MILLRACE_HOST: host, MILLRACE_PROXY_PORT: port } = settings
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  server.once('error', (error: NodeJS.ErrnoException) => {
    reject(
      new SettingsError(
        error.code === 'EADDRINUSE' || error.code === 'EACCES' ? 'MILLRACE_PROXY_PORT' : 'MILLRACE_HOST',
        `cannot listen on ${host}:${port} (${error.code ?? error.message})`,
      ),
    )
  })
  server.listen(port, host, () => {
    const { port: actual } = server.address() as AddressInfo
    resolve(`http://${reachable(host)}:${actual}`)
  })
  return promise
}

/** How this machine reaches itself there; an IPv6 address in brackets. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
