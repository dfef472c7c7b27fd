/**
 * Finds members of a JSON object in its source text, so that one value can be replaced and every other byte kept.
 * Text may be bytes decoded as latin1: JSON's structure is ASCII, and no byte of a UTF-8 sequence looks like it.
 */

/** Where a value stands in the text: from its first character to past its last. */
export interface Range {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * The values of the outermost object's members, by name; a name that occurs twice has two ranges.
 * Members whose names are not asked for are skipped.
 * @returns null if the text is not one whole object (a value's own spelling is not checked)
 */
export function findMembers(text: string, names: ReadonlySet<string>): Map<string, Range[]> | null {
  const found = new Map<string, Range[]>()
  const end = scanMembers(text, 0, names, found)
  return end >= 0 && skipSpace(text, end) === text.length ? found : null
}

/** As {@link findMembers}, for an object within the text that begins at `from`. */
export function findMembersAt(text: string, from: number, names: ReadonlySet<string>): Map<string, Range[]> | null {
  const found = new Map<string, Range[]>()
  return scanMembers(text, from, names, found) < 0 ? null : found
}

/** The values of the list that begins at `from`. @returns null if there is none, or no end of it */
export function findItems(text: string, from: number): Range[] | null {
  if (text.charCodeAt(from) !== OPEN_BRACKET) return null
  const items: Range[] = []
  let i = skipSpace(text, from + 1)
  if (text.charCodeAt(i) === CLOSE_BRACKET) return items
  for (;;) {
    const end = skipValue(text, i)
    if (end < 0) return null
    items.push({ start: i, end })
    i = skipSpace(text, end)
    const next = text.charCodeAt(i)
    if (next === CLOSE_BRACKET) return items
    if (next !== COMMA) return null
    i = skipSpace(text, i + 1)
  }
}

/** As {@link findMembers}, for the beginning of a text that goes on: the members that are whole in it. */
export function findLeadingMembers(text: string, names: ReadonlySet<string>): Map<string, Range[]> {
  const found = new Map<string, Range[]>()
  scanMembers(text, 0, names, found)
  return found
}

/** @returns past the object that begins at `from`, or -1 if none does, or it does not end */
function scanMembers(text: string, from: number, names: ReadonlySet<string>, found: Map<string, Range[]>): number {
  let i = skipSpace(text, from)
  if (text.charCodeAt(i) !== OPEN_BRACE) return -1
  i = skipSpace(text, i + 1)
  if (text.charCodeAt(i) === CLOSE_BRACE) return i + 1
  for (;;) {
    if (text.charCodeAt(i) !== QUOTE) return -1
    const nameEnd = skipString(text, i)
    if (nameEnd < 0) return -1
    const name = memberName(text, i, nameEnd)
    i = skipSpace(text, nameEnd)
    if (text.charCodeAt(i) !== COLON) return -1
    const start = skipSpace(text, i + 1)
    const end = skipValue(text, start)
    if (end < 0) return -1
    if (names.has(name)) {
      const ranges = found.get(name)
      if (ranges) ranges.push({ start, end })
      else found.set(name, [{ start, end }])
    }
    i = skipSpace(text, end)
    const next = text.charCodeAt(i)
    if (next === CLOSE_BRACE) return i + 1
    if (next !== COMMA) return -1
    i = skipSpace(text, i + 1)
  }
}

/** The name between quotes, its escapes resolved: `"mod\u0065l"` is `model`. */
function memberName(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1)
  if (!raw.includes('\\')) return raw
  try {
    return JSON.parse(`"${raw}"`) as string
  } catch {
    return raw
  }
}

/** Past the white space that begins at `from`. */
export function skipSpace(text: string, from: number): number {
  let i = from
  for (;;) {
    const c = text.charCodeAt(i)
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return i
    i++
  }
}

/** Past the string that begins at `from`, or -1 where it does not end. */
export function skipString(text: string, from: number): number {
  let i = from
  for (;;) {
    i = text.indexOf('"', i + 1)
    if (i < 0) return -1
    let escapes = i - 1
    while (text.charCodeAt(escapes) === BACKSLASH) escapes--
    if ((i - escapes) % 2 === 1) return i + 1
  }
}

/** Past the value that begins at `from`, or -1 where it does not end. A value's own spelling is not checked. */
export function skipValue(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === QUOTE) return skipString(text, from)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(text, from)
  let i = from
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === COMMA || c === CLOSE_BRACE || c === CLOSE_BRACKET || c <= 0x20) break
  }
  return i > from && i < text.length ? i : -1
}

function skipNested(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === QUOTE) {
      i = skipString(text, i) - 1
      if (i < 0) return -1
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      depth++
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      if (--depth === 0) return i + 1
    }
  }
  return -1
}

/** Text to stand in place of a range; an empty range inserts it. */
export interface Edit extends Range {
  readonly literal: string
}

/** The text with each edit made. Edits are in ascending order and do not overlap. */
export function splice(text: string, edits: readonly Edit[]): string {
  let out = ''
  let from = 0
  for (const { start, end, literal } of edits) {
    out += text.slice(from, start) + literal
    from = end
  }
  return out + text.slice(from)
}

/** Edits that put the same literal in place of each range. */
export function replaceAll(ranges: readonly Range[], literal: string): Edit[] {
  return ranges.map(({ start, end }) => ({ start, end, literal }))
}

/** A JSON string literal as latin1 text of its UTF-8 bytes, to be put into text that was decoded so. */
export function latin1Literal(value: string): string {
  return latin1FromUtf8(JSON.stringify(value))
}

/** Text as its bytes in UTF-8, decoded as latin1. */
export function latin1FromUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Bytes that were decoded as latin1, decoded as the UTF-8 that they are. */
export function utf8FromLatin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}
