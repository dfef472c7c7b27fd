/**
 * Where a passed-through request points: a path under `/v1`, checked so that no reading of it leads out of the provider's
 * base path, and the query as it came.
 */

/** A request target that may be passed on. */
export interface PassedTarget {
  /** The path as rules see it and providers get it, from `/v1/` on: characters that need no percent-encoding have none. */
  readonly endpoint: string
  /** With its `?`; empty: none. */
  readonly query: string
}

/** As nearly all paths are: nothing in it needs a second look. */
const PLAIN = /^\/v1(?:\/[\w\-~][\w\-.~:]*)+$/
/** RFC 3986, section 3.3: `segment-nz`. */
const SEGMENT = /^(?:[\w\-.~!$&'()*+,;=:@]|%[\dA-Fa-f]{2})+$/
const ESCAPE = /%([\dA-Fa-f]{2})/g
/** What never needs percent-encoding (RFC 3986, section 2.3). */
const UNRESERVED = /[\w\-.~]/
/** What some server takes for more than a character of a name: separators, an escape within an escape, controls. */
const TREACHEROUS = /[/\\%\p{Cc}]/u
/** This folder, or the one above; some servers cut off what follows a `;`. */
const DOTS = /^\.\.?(?:;|$)/

/**
 * Reads a request target.
 * @param url as Node has it: bytes as latin1
 * @returns null for one that no provider is asked for: not under `/v1/`, with empty or dotted segments, with `/`, `\`, `%`,
 * control characters or what is no UTF-8 in percent-encoding
 */
export function readTarget(url: string): PassedTarget | null {
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const query = at < 0 ? '' : url.slice(at)
  if (query.includes('#')) return null
  if (PLAIN.test(path)) return { endpoint: path, query }
  if (!path.startsWith('/v1/')) return null
  let endpoint = ''
  for (const segment of path.slice(1).split('/')) {
    if (!SEGMENT.test(segment)) return null
    const plain = segment.replace(ESCAPE, unescaped)
    const folded = foldedOf(plain)
    if (folded === null || DOTS.test(folded) || TREACHEROUS.test(folded)) return null
    endpoint += `/${plain}`
  }
  return { endpoint, query }
}

function unescaped(_: string, hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16))
  return UNRESERVED.test(character) ? character : `%${hex.toUpperCase()}`
}

/** A segment as servers may read it that fold characters which look alike; null: it is no UTF-8 (overlong forms are none). */
function foldedOf(segment: string): string | null {
  try {
    return decodeURIComponent(segment).normalize('NFKC')
  } catch {
    return null
  }
}

const NONE: ReadonlyMap<string, readonly string[]> = new Map()

/**
 * The values of a query's parameters of these names, as forms spell them.
 * @returns an entry for each name that is there; a name may occur twice
 */
export function parametersOf(query: string, names: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  if (query.length < 2) return NONE
  const values = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (!names.has(name)) continue
    const before = values.get(name)
    if (before === undefined) values.set(name, [value])
    else before.push(value)
  }
  return values
}

/** The query with another value for the model that it names; nothing else of it is changed. */
export function withModel(query: string, model: string): string {
  const parts = query.slice(1).split('&')
  return `?${parts.map((part) => (namesModel(part) ? `model=${encodeURIComponent(model.toWellFormed())}` : part)).join('&')}`
}

function namesModel(part: string): boolean {
  // Its own leading `?` is part of a name: URLSearchParams leaves out the first.
  return new URLSearchParams(`?${part}`).has('model')
}

/** The path under a provider's base URL, which ends where `/v1` does. */
export function upstreamPathOf(endpoint: string): string {
  return endpoint.slice('/v1'.length)
}
