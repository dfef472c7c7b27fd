/** What Millrace reads of a client's headers, and which of them a provider gets. */
import type { IncomingHttpHeaders } from 'node:http'

import { readMetadata, type RequestRecord } from '@millrace/shared'

import { namedByConnection } from '../header-fields.ts'

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/

/** The client's own request id, if it is one that can be passed on and logged as it is. */
export function requestIdOf(headers: IncomingHttpHeaders): string | null {
  const id = headers['x-request-id']
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : null
}

/** The secret that the client authenticates with: a bearer token (RFC 6750), or as Anthropic's or Azure's clients send it. */
export function secretOf(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers
  // Some clients send it empty, beside a key of their own.
  if (authorization !== undefined && authorization.trim() !== '') {
    return /^bearer /i.test(authorization) ? authorization.slice(7).trim() : null
  }
  const key = headers['x-api-key'] ?? headers['api-key']
  return typeof key === 'string' ? key.trim() : null
}

/** A header of ours with a short text in it. */
export function textHeader(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

/** Whether a header of ours says yes. */
export function isTrue(headers: IncomingHttpHeaders, name: string): boolean {
  return headers[name] === 'true'
}

/** `x-millrace-metadata`: see {@link readMetadata}. */
export function metadataOf(headers: IncomingHttpHeaders): RequestRecord['metadata'] {
  return readMetadata(textHeader(headers, 'x-millrace-metadata'))
}

/**
 * Never sent on: the client's credentials and account, hop-by-hop fields (RFC 9110, section 7.6.1), what the gateway
 * reads or sets itself, and the client's whereabouts: providers that look at a page's origin refuse those they don't know.
 */
const KEPT_BACK = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-amz-security-token',
  'cookie',
  'openai-organization',
  'openai-project',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'accept-encoding',
  'cache-control',
  'pragma',
  'x-request-id',
  'forwarded',
  'via',
  'x-real-ip',
  'origin',
  'referer',
])

/** Adds the client's headers that a provider gets to a list of names and values in turn. */
export function addForwardedHeaders(list: string[], headers: IncomingHttpHeaders): void {
  const named = namedByConnection(headers.connection)
  for (const name in headers) {
    if (
      KEPT_BACK.has(name) ||
      name.startsWith('x-millrace-') ||
      name.startsWith('proxy-') ||
      name.startsWith('x-forwarded-')
    )
      continue
    if (named.includes(name)) continue
    const value = headers[name]
    if (typeof value === 'string') list.push(name, value)
    else if (value) for (const each of value) list.push(name, each)
  }
}
