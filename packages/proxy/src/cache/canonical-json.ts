/**
 * One spelling of a JSON text for all those that differ only in white space and in the order of members. Whatever else is
 * written stays as it is written: numbers, escapes, members whose name occurs twice (in their order). So the result is a JSON
 * text that means what the source meant, and two sources that mean different things never have the same.
 */
import { skipString } from '../stream/json.ts'
import { compareNames, Members } from './members.ts'
import { grown, Pieces } from './pieces.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const SPACE = 0x20
/** The first bytes of U+017F and U+212A, in UTF-8: to some parsers an s, and a k. */
const LONG_S = 0xc5
const KELVIN = 0xe2

/** Whether a byte stands for nothing but itself: it is part of a number or a literal, or a colon. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte <= SPACE || [QUOTE, COMMA, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE].includes(byte) ? 0 : 1,
)

/**
 * Pieces of a text, at most: they take 12 bytes each, and members as much. A text of more is left as it is, which makes it
 * differ from other spellings of itself, and from nothing else.
 */
const MOST_PIECES = 131_072
/** Bytes of texts for which room is kept; there is more for the time of one call. */
const KEPT_BYTES = 262_144
/** Objects within objects for which room is kept. */
const KEPT_LEVELS = 128
const FIELDS = 4

/** How an object's members stand. */
const SORTED = 0
const UNSORTED = 1
/** Nothing is known: a name has escapes, or a letter that may be ASCII's in another case. */
const SPELT = 2

const keptSource = Buffer.allocUnsafeSlow(KEPT_BYTES)
const keptTarget = Buffer.allocUnsafeSlow(KEPT_BYTES)
const pieces = new Pieces()
const members = new Members(pieces)
/** What is to be known of an object again when one in it has ended. */
let outer = new Int32Array(KEPT_LEVELS * FIELDS)

/**
 * @param head any text, which comes before, in UTF-8
 * @param text valid JSON, its UTF-8 bytes as latin1
 * @param omit names of the outermost object's members that are left out
 * @returns to be used before the next call
 */
export function canonicalJson(head: string, text: string, omit: ReadonlySet<string>): Buffer {
  const source = text.length < KEPT_BYTES ? keptSource : Buffer.allocUnsafeSlow(text.length + 1)
  const room = head.length * 3 + text.length
  const target = room <= KEPT_BYTES ? keptTarget : Buffer.allocUnsafeSlow(room)
  const start = target.write(head, 0, 'utf8')
  source.write(text, 0, 'latin1')
  source[text.length] = QUOTE
  try {
    const end = scan(text, source, omit)
      ? pieces.write(text, source, target, start)
      : start + target.write(text, start, 'latin1')
    return target.subarray(0, end)
  } finally {
    pieces.clear()
    members.clear()
    if (outer.length > KEPT_LEVELS * FIELDS) outer = new Int32Array(KEPT_LEVELS * FIELDS)
  }
}

/**
 * Takes the text to pieces, and chains them. Without recursion: a client decides how deep its text is nested.
 * @param bytes the text, and a quote after it
 * @returns false if there are too many
 */
function scan(text: string, bytes: Buffer, omit: ReadonlySet<string>): boolean {
  const { length } = text
  /** From where the text is in no piece yet. */
  let rest = 0
  /** Whether the next string is a name. */
  let named = false
  /** Objects that are open. */
  let level = 0
  /** Of the innermost: arrays that are open in it, its first member, the piece before that, and whether it must be chained anew. */
  let arrays = 0
  let base = 0
  let open = 0
  let disorder = 0
  let comma = 0
  for (let i = 0; i < length && pieces.count <= MOST_PIECES;) {
    while (PLAIN[bytes[i]!] === 1) i++
    if (i === length) break
    const byte = bytes[i]!
    if (byte === QUOTE && !named) {
      i = skipString(text, i)
      if (i < 0) return false
    } else if (byte === QUOTE) {
      named = false
      if (members.count === base) {
        pieces.add(rest, i)
        open = pieces.count - 1
        rest = i
      } else if (disorder === SORTED && compareNames(bytes, members.last, i) > 0) {
        disorder = UNSORTED
      }
      members.begin(i)
      for (i++; bytes[i] !== QUOTE && i < length; i++) {
        const letter = bytes[i]!
        if (letter !== BACKSLASH && letter !== LONG_S && letter !== KELVIN) continue
        disorder = SPELT
        if (letter === BACKSLASH) i++
      }
      i++
    } else if (byte === COMMA) {
      if (arrays === 0) {
        pieces.add(rest, i)
        members.end()
        rest = comma = i
        named = true
      }
      i++
    } else if (byte <= SPACE) {
      pieces.add(rest, i)
      do i++
      while (bytes[i]! <= SPACE)
      rest = i
    } else if (byte === OPEN_BRACE) {
      const at = level++ * FIELDS
      if (at === outer.length) outer = grown(outer)
      outer[at] = arrays
      outer[at + 1] = base
      outer[at + 2] = open
      outer[at + 3] = disorder
      arrays = 0
      base = members.count
      disorder = SORTED
      named = true
      i++
    } else if (byte === CLOSE_BRACE) {
      const at = --level * FIELDS
      const omitted = level === 0 && outer[at] === 0 ? omit : null
      if (members.count > base) {
        pieces.add(rest, i)
        members.end()
        rest = i
        if (disorder !== SORTED || omitted !== null)
          members.chain(text, bytes, base, open, comma, disorder === SPELT, omitted)
        members.count = base
      }
      arrays = outer[at]!
      base = outer[at + 1]!
      open = outer[at + 2]!
      disorder = outer[at + 3]!
      named = false
      i++
    } else {
      arrays += byte === OPEN_BRACKET ? 1 : -1
      i++
    }
  }
  pieces.add(rest, length)
  return pieces.count <= MOST_PIECES
}
