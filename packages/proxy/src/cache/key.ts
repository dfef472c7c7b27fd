/** Under which key an answer is kept: what two requests must have in common for one to be given the answer of the other. */
import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

import { estimateTokens } from '@millrace/shared'

import type { CompiledCache, KeyedFact } from './cacheable.ts'
import { canonicalJson } from './canonical-json.ts'

/** Goes up when keys are made otherwise, or when what is stored under them means something else. */
const VERSION = 'millrace-1'

/** A request, as far as its key is made of it. */
export interface Keyed {
  /** The client's path. */
  readonly endpoint: string
  readonly projectId: string
  readonly projectName: string
  readonly tokenId: string
  readonly tokenName: string
  readonly aliasId: string
  /** The client's, by their names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** JSON, its UTF-8 bytes as latin1. */
  readonly body: string
  /** The outermost members of the endpoint's bodies that don't count. */
  readonly unkeyed: ReadonlySet<string>
}

/**
 * The same for requests that mean the same, and for no others: a SHA-256 over all that counts. How members of the body are
 * ordered and what white space is between them does not matter; whatever else is written does.
 * @param cache its alias's
 * @returns 43 characters, base64url
 */
export function cacheKey(cache: CompiledCache, keyed: Keyed): string {
  const { endpoint, aliasId, headers, body } = keyed
  // Each part says how long it is: none can pass for another, nor for two.
  const whose = part(tenantOf(cache, keyed)) + part(aliasId) + part(cache.routesDigest)
  const head = part(VERSION) + part(endpoint) + whose + factsOf(cache, keyed) + keyedHeaders(headers)
  return hash('sha256', canonicalJson(head, body, omittedOf(cache, keyed)), 'base64url')
}

/** Who has answers in common. No two tenants have the same, whatever kind they are. */
function tenantOf({ policy }: CompiledCache, { projectId, tokenId }: Keyed): string {
  return policy.shareAcrossProject ? `project ${projectId}` : `token ${tokenId}`
}

function omittedOf({ members }: CompiledCache, { unkeyed }: Keyed): ReadonlySet<string> {
  return members.size === 0 ? unkeyed : new Set(Array.from(unkeyed).filter((name) => !members.has(name)))
}

/** Which there are, the routes' digest tells. */
function factsOf({ facts }: CompiledCache, keyed: Keyed): string {
  let parts = ''
  for (const fact of facts) parts += part(factOf(fact, keyed))
  return parts
}

function factOf(fact: KeyedFact, { tokenName, projectName, body }: Keyed): string {
  switch (fact) {
    case 'token_name':
      return tokenName
    case 'project_name':
      return projectName
    case 'estimated_input_tokens':
      return String(estimateTokens(body.length))
  }
}

function part(text: string): string {
  return `${text.length}:${text}`
}

/**
 * Those of a request's headers by which providers answer otherwise, in one text: sorted, for a client may send them in any
 * order.
 * @param headers by their names in lower case
 */
export function keyedHeaders(headers: IncomingHttpHeaders): string {
  let names: string[] | null = null
  for (const name in headers) if (name.startsWith('anthropic-') || name === 'openai-beta') (names ??= []).push(name)
  if (names === null) return '0;'
  let parts = `${names.length};`
  for (const name of names.sort()) parts += part(name) + part(String(headers[name]))
  return parts
}
