/**
 * Makes one object of several that each tell a part of it, as the deltas of a stream do. Each member has a rule; what a rule
 * cannot make one of is refused, since an answer that is nearly right is wrong.
 */
import { readMembers, writeMembers, type Members } from './json-source.ts'

/** How the values of one member, in order, become one. Null says nothing in any of them; where there is nothing else, it stays. */
export type Rule =
  /** Strings, joined. */
  | 'text'
  /** Strings in base64, joined also where each was padded for itself. */
  | 'base64'
  /** Arrays, joined. Other values: as `unknown`. */
  | 'list'
  /** The same string whenever it is said; an empty one says nothing. */
  | 'label'
  /** The last one. */
  | 'last'
  /** The last one that is neither empty nor 0. */
  | 'filled'
  /** The last one; but of arrays, which may be parts of one, only one may have anything in it. */
  | 'state'
  /**
   * Strings are joined, unless all are the same: then they may as well be one, repeated. Of numbers and booleans the last one
   * counts. Of arrays only one may have anything in it, and objects must be the same: they may be parts of one.
   */
  | 'unknown'
  | Shape
  | Fold

/** The rules of an object's members. */
export interface Shape {
  readonly members: Readonly<Record<string, Rule>>
  readonly others: Rule
}

/** A rule of its own. */
export type Fold = (sources: readonly string[]) => string

/** @throws SyntaxError for what is no JSON, or cannot be made one */
export function foldMembers(parts: readonly Members[], { members, others }: Shape): Map<string, string> {
  const gathered = new Map<string, string[]>()
  for (const part of parts) {
    for (const [name, source] of part) {
      const sources = gathered.get(name)
      if (source === 'null') {
        if (!sources) gathered.set(name, [])
      } else if (sources) sources.push(source)
      else gathered.set(name, [source])
    }
  }
  const folded = new Map<string, string>()
  for (const [name, sources] of gathered) {
    const rule = Object.hasOwn(members, name) ? members[name]! : others
    folded.set(name, sources.length === 0 ? 'null' : foldValues(sources, rule))
  }
  return folded
}

function foldValues(sources: readonly string[], rule: Rule): string {
  if (typeof rule === 'function') return rule(sources)
  if (typeof rule === 'object') {
    return writeMembers(
      foldMembers(
        sources.map((source) => readMembers(source)),
        rule,
      ),
    )
  }
  const last = sources.at(-1)!
  if (sources.length === 1) return last
  switch (rule) {
    case 'last':
      return last
    case 'filled':
      return sources.findLast((source) => source !== '""' && source !== '0') ?? last
    case 'label':
      return only(sources.filter((source) => source !== '""')) ?? last
    case 'text':
      return joinText(sources)
    case 'base64':
      return joinBase64(sources)
    case 'list':
      return sources.every(isArray) ? joinArrays(sources) : foldUnknown(sources)
    case 'state':
      return sources.some(isArray) ? onlyArray(sources) : last
    case 'unknown':
      return foldUnknown(sources)
  }
}

function foldUnknown(sources: readonly string[]): string {
  if (sources.every(isString)) {
    const [first] = sources
    if (first !== '""' && sources.every((source) => source === first)) refuse('a text that may be a repeated label')
    return joinText(sources)
  }
  if (sources.some(isArray)) return onlyArray(sources)
  return sources.every(isScalar) ? sources.at(-1)! : only(sources)!
}

function onlyArray(sources: readonly string[]): string {
  const full = sources.filter((source) => !isArray(source) || !isEmptyArray(source))
  if (full.length > 1) refuse('several arrays')
  return full[0] ?? sources[0]!
}

/** The one value that all of them are. */
function only(sources: readonly string[]): string | undefined {
  if (sources.some((source) => source !== sources[0])) refuse('several values')
  return sources[0]
}

/** The halves of a surrogate pair, and the bytes of a character, come together as they were cut. */
function joinText(sources: readonly string[]): string {
  let text = '"'
  for (const source of sources) {
    if (!isString(source)) refuse('a text that is none')
    // A string may not be cut within an escape: joined, its halves would pass.
    if (source.includes('\\u')) JSON.parse(source)
    text += source.slice(1, -1)
  }
  return `${text}"`
}

function joinBase64(sources: readonly string[]): string {
  const joined = joinText(sources)
  if (joined.indexOf('=') < 0 || /^"[^=]*={0,2}"$/.test(joined)) return joined
  const pieces = sources.map((source) => JSON.parse(source) as string)
  if (pieces.some((piece) => piece.length % 4 !== 0)) refuse('a recording that is padded in its middle')
  return JSON.stringify(Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64'))).toString('base64'))
}

function joinArrays(sources: readonly string[]): string {
  const full = sources.filter((source) => !isEmptyArray(source))
  return `[${full.map((source) => source.slice(1, -1)).join(',')}]`
}

const isString = (source: string): boolean => source.startsWith('"')
const isArray = (source: string): boolean => source.startsWith('[') && source.endsWith(']')
const isEmptyArray = (source: string): boolean => /^\[[ \t\r\n]*\]$/.test(source)
const isScalar = (source: string): boolean => !isString(source) && !isArray(source) && !source.startsWith('{')

export function refuse(reason: string): never {
  throw new SyntaxError(`cannot be made one: ${reason}`)
}

/** @returns null for what is refused, is no JSON, or is nested too deep */
export function unlessRefused<T>(make: () => T): T | null {
  try {
    return make()
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null
    throw error
  }
}

const LINE_ENDS = /[\r\n][ \t\r\n]*/g

/**
 * JSON as events have it. A line end within a string would be escaped; any other ends a line of an event.
 * @throws SyntaxError
 */
export function inOneLine(json: string): string {
  JSON.parse(json)
  return json.replace(LINE_ENDS, '')
}
