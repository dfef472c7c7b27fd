/** An exchange as control is told of it: without its secrets, its bodies cut. */
import { recordText, type DebugExchange } from '@millrace/shared'

import type { Caught } from './capture.ts'
import type { Kept } from './kept.ts'
import { isSecretHeader, REDACTED, redacted, spellingsOfAll } from './redact.ts'

/** Characters of a path and its query. */
const LONGEST_TARGET = 16_384

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Headers = DebugExchange['requestHeaders']

interface Body {
  /** Null: there was none. */
  readonly text: string | null
  readonly truncated: boolean
}

/** Takes its bodies. */
export function rendered(caught: Caught): DebugExchange {
  const { requestHeaders: sent, maxBodyBytes: most } = caught
  const spellings = spellingsOfAll(caught.secrets)
  const got = byName(caught.responseHeaders)
  const request = bodyOf(caught.request, most, sent['content-encoding'], spellings)
  const response = bodyOf(caught.response, most, String(got['content-encoding'] ?? ''), spellings)
  return {
    id: caught.id,
    requestId: caught.requestId,
    at: new Date(caught.startedAt).toISOString(),
    projectId: caught.projectId,
    tokenId: caught.tokenId,
    method: caught.method,
    target: redacted(caught.target, spellings, LONGEST_TARGET),
    model: caught.model && recordText(redacted(caught.model, spellings)),
    requestHeaders: shown(sent, spellings),
    requestBody: request.text,
    responseStatus: caught.status,
    responseHeaders: shown(got, spellings),
    responseBody: response.text,
    retentionHours: caught.retentionHours,
    truncated: request.truncated || response.truncated,
  }
}

/** What is not text is told of by its length: secrets could not be found in it. */
function bodyOf(kept: Kept, most: number, encoding: string | undefined, spellings: readonly string[]): Body {
  const { total } = kept
  const bytes = kept.take()
  if (total === 0) return { text: null, truncated: false }
  if (encoding && encoding.toLowerCase() !== 'identity')
    return { text: `[${total} bytes, content-encoding ${encoding.slice(0, 40)}]`, truncated: true }
  const cut = total > most
  const safe = Buffer.from(redacted(bytes.toString('latin1'), spellings, most), 'latin1')
  const text = textOf(cut || safe.length > most ? safe.subarray(0, wholeCharacters(safe, most)) : safe)
  if (text === null) return { text: `[${total} bytes that are no text]`, truncated: true }
  return { text, truncated: cut || safe.length > most }
}

/** Null: it is none, in UTF-8. */
function textOf(bytes: Buffer): string | null {
  if (bytes.includes(0)) return null
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

/** How many bytes, of at most so many, are whole characters of UTF-8 (RFC 3629). */
function wholeCharacters(bytes: Buffer, most: number): number {
  const end = Math.min(most, bytes.length)
  for (let at = end - 1; at >= Math.max(0, end - 4); at--) {
    const byte = bytes[at]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return at + length > end ? at : end
  }
  return end
}

/** @param list of names and values in turn */
function byName(list: readonly string[]): Record<string, string | string[]> {
  // Without what any object has: a header may be named `constructor`.
  const headers: Record<string, string | string[]> = Object.create(null)
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!.toLowerCase()
    const before = headers[name]
    headers[name] = before === undefined ? list[i + 1]! : [before, list[i + 1]!].flat()
  }
  return headers
}

function shown(headers: Caught['requestHeaders'], spellings: readonly string[]): Headers {
  const safe: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    const key = redacted(name, spellings)
    if (isSecretHeader(name)) safe[key] = REDACTED
    else safe[key] = Array.isArray(value) ? value.map((one) => redacted(one, spellings)) : redacted(value, spellings)
  }
  return safe
}
