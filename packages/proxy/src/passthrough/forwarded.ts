/** The client's headers that a provider gets of a request that is passed on. */
import type { IncomingHttpHeaders } from 'node:http'

import type { Fields } from '../cache/http/policy.ts'
import { addForwardedHeaders } from '../request/client-headers.ts'

/** What a client says that it has already: where the cache has something, that is asked about in its place. */
const CONDITIONS: ReadonlySet<string> = new Set(['if-none-match', 'if-modified-since'])

/** Some servers take these for the method, or the path, in place of those that were looked at here; with `_` for `-`, too. */
const OVERRIDES: ReadonlySet<string> = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
])

/**
 * Adds them to a list of names and values in turn. Answers are asked for uncompressed: so all clients can have the same, and
 * a key can be taken out of what a provider refuses with.
 * @param conditions whether with what the client says that it has
 */
export function addPassedHeaders(list: string[], headers: IncomingHttpHeaders, conditions: boolean): void {
  list.push('accept-encoding', 'identity')
  const forwarded: string[] = []
  addForwardedHeaders(forwarded, headers)
  for (let i = 0; i < forwarded.length; i += 2) {
    const name = forwarded[i]!
    if (!OVERRIDES.has(name.replaceAll('_', '-')) && (conditions || !CONDITIONS.has(name)))
      list.push(name, forwarded[i + 1]!)
  }
}

/** Of a body as it comes; of one that is read, its length is found anew. */
const OF_A_BODY = ['content-type', 'content-encoding', 'content-length'] as const

/** Adds what tells of a body. @param length whether with its length, where its client tells it */
export function addBodyHeaders(list: string[], headers: IncomingHttpHeaders, length: boolean): void {
  for (const name of OF_A_BODY) {
    const value = headers[name]
    if (value !== undefined && (length || name !== 'content-length')) list.push(name, value)
  }
}

/** The same without conditions, by name: what answers may vary by. */
export function sentFields(headers: IncomingHttpHeaders): Fields {
  const list: string[] = []
  addPassedHeaders(list, headers, false)
  const fields: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!
    const before = fields[name]
    fields[name] = before === undefined ? list[i + 1]! : `${before}, ${list[i + 1]!}`
  }
  return fields
}
