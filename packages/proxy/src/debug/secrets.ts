import { secretOf } from '../request/client-headers.ts'
import type { Exchange } from '../request/exchange.ts'
import { credentialsFor } from '../routing/credentials.ts'
import type { Credential } from '../snapshot/compiled.ts'
import { secretsIn } from '../upstream/key-parts.ts'
import { isSecretHeader } from './redact.ts'

/** Of upstream keys, and of headers; more are not looked for: each is, in a dozen spellings, in all that was sent. */
const MOST = 64

/**
 * The secrets that an exchange may have in it: its client's, whatever else is secret of its headers (a provider may repeat
 * them), and the upstream keys that it was asked with, or that an answer may have been asked with before it was stored.
 */
export function secretsOf(exchange: Exchange): ReadonlySet<string> {
  const { headers } = exchange.req
  const secrets = new Set([secretOf(headers)!, ...upstreamKeysOf(exchange)])
  let left = MOST
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === 'string' && isSecretHeader(name) && left-- > 0) secrets.add(value)
  }
  return secrets
}

function upstreamKeysOf({ token, flight, found }: Exchange): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const { credential } of flight?.attempts ?? []) if (credential !== null) add(keys, credential)
  for (const { provider } of found?.alias.routes ?? [])
    for (const credential of credentialsFor(provider, token!.projectId)) {
      if (keys.size >= MOST) return keys
      add(keys, credential)
    }
  return keys
}

function add(keys: Set<string>, { apiKey }: Credential): void {
  for (const secret of secretsIn(apiKey)) keys.add(secret)
}
