/**
 * JSON taken apart and put together as source text: numbers keep their digits, strings their spelling and their bytes.
 * Text may be bytes decoded as latin1. Values' own spelling is not checked: who puts them together checks the whole.
 */
import { skipSpace, skipString, skipValue } from './json.ts'

/** Members by name; of several of one name the last, as `JSON.parse` has it. Names are as {@link nameSource} says. */
export type Members = ReadonlyMap<string, string>

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** @throws SyntaxError unless the text is one whole object */
export function readMembers(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let i = skipSpace(text, 0)
  if (text.charCodeAt(i) !== OPEN_BRACE) fail('an object')
  i = skipSpace(text, i + 1)
  if (text.charCodeAt(i) === CLOSE_BRACE) return atEnd(text, i + 1, members)
  for (;;) {
    if (text.charCodeAt(i) !== QUOTE) fail('a name')
    const nameEnd = skipString(text, i)
    const colon = skipSpace(text, nameEnd)
    if (nameEnd < 0 || text.charCodeAt(colon) !== COLON) fail('a member')
    const start = skipSpace(text, colon + 1)
    const end = skipValue(text, start)
    if (end < 0) fail('a value')
    members.set(nameSource(text.slice(i + 1, nameEnd - 1)), text.slice(start, end))
    i = skipSpace(text, end)
    const next = text.charCodeAt(i)
    if (next === CLOSE_BRACE) return atEnd(text, i + 1, members)
    if (next !== COMMA) fail('the next member')
    i = skipSpace(text, i + 1)
  }
}

/** The members of each object in an array. @throws SyntaxError unless the text is one whole array of objects */
export function readItems(text: string): Map<string, string>[] {
  const items: Map<string, string>[] = []
  let i = skipSpace(text, 0)
  if (text.charCodeAt(i) !== OPEN_BRACKET) fail('an array')
  i = skipSpace(text, i + 1)
  if (text.charCodeAt(i) === CLOSE_BRACKET) return atEnd(text, i + 1, items)
  for (;;) {
    if (text.charCodeAt(i) !== OPEN_BRACE) fail('an object')
    const end = skipValue(text, i)
    if (end < 0) fail('an object')
    items.push(readMembers(text.slice(i, end)))
    i = skipSpace(text, end)
    const next = text.charCodeAt(i)
    if (next === CLOSE_BRACKET) return atEnd(text, i + 1, items)
    if (next !== COMMA) fail('the next object')
    i = skipSpace(text, i + 1)
  }
}

/** The object's text. */
export function writeMembers(members: Iterable<readonly [string, string]>): string {
  let text = ''
  for (const [name, value] of members) text += `${text === '' ? '{' : ','}"${name}":${value}`
  return text === '' ? '{}' : `${text}}`
}

/**
 * What stands between the quotes of a member's name. One that means ASCII is spelt without needless escapes, so that it
 * can be compared; another stays as it is, since bytes and characters cannot be told apart once escapes are resolved.
 */
function nameSource(source: string): string {
  if (!source.includes('\\')) return source
  const name = JSON.parse(`"${source}"`) as string
  return /^[\x20-\x7e]*$/.test(name) ? JSON.stringify(name).slice(1, -1) : source
}

function atEnd<Found>(text: string, end: number, found: Found): Found {
  return skipSpace(text, end) === text.length ? found : fail('the end')
}

function fail(expected: string): never {
  throw new SyntaxError(`expected ${expected}`)
}
