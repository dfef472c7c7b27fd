/**
 * Tools that take any text (OpenAI's `custom` ones) are functions of one argument here. What they are called with is text
 * again for the client, also where the JSON around it comes in pieces.
 */
import { parseExact } from './exact-json.ts'
import { isObject, type JsonObject } from './values.ts'

export const TEXT_MEMBER = 'input'

export const TEXT_SCHEMA: JsonObject = {
  type: 'object',
  properties: { [TEXT_MEMBER]: { type: 'string' } },
  required: [TEXT_MEMBER],
}

/**
 * The arguments of a call where an API has an object for them. What is no object, such as JSON that the model broke, stands
 * in one.
 * @param custom whether the text is no JSON at all
 */
export function writeInput(text: string, custom: boolean): JsonObject {
  const json = text.trim()
  if (!custom && json === '') return {}
  return (custom ? null : objectIn(json)) ?? { [TEXT_MEMBER]: text }
}

function objectIn(json: string): JsonObject | null {
  // A number that keeps its spelling is an object, too.
  if (!json.startsWith('{')) return null
  try {
    return parseExact(json) as JsonObject
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}

/** The way back. @param custom whether the client's tool takes any text */
export function readInput(input: unknown, custom: boolean): string {
  if (!custom) return input === undefined ? '' : JSON.stringify(input)
  const text = isObject(input) ? input[TEXT_MEMBER] : undefined
  return typeof text === 'string' ? text : JSON.stringify(input ?? {})
}

const HEAD = /^\s*\{\s*"input"\s*:\s*"/
/** What is longer, and has no such beginning, is no text of this form. */
const LONGEST_HEAD = 1_000
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** What follows `\u`. */
const HEX = /^[0-9a-fA-F]{4}$/
const PART_OF_HEX = /^[0-9a-fA-F]{0,3}$/

/** Reads the text of one call. Holds half an escape at most, or what stands before the text. */
export class ToolText {
  private held = ''
  private state: 'before' | 'in' | 'after' | 'other' = 'before'

  /** @returns what of the text is known now */
  take(json: string): string {
    if (this.state === 'after') return ''
    if (this.state === 'other') return json
    this.held += json
    if (this.state === 'before') {
      const head = HEAD.exec(this.held)
      if (head === null) return this.held.length > LONGEST_HEAD ? this.giveUp() : ''
      this.held = this.held.slice(head[0].length)
      this.state = 'in'
    }
    const whole = this.held.slice(0, wholeLength(this.held))
    this.held = this.held.slice(whole.length)
    if (this.held.startsWith('"')) this.state = 'after'
    return parsed(whole)
  }

  /** @returns what was no text of this form, as it came */
  close(): string {
    return this.state === 'before' ? this.held : ''
  }

  private giveUp(): string {
    const { held } = this
    this.state = 'other'
    this.held = ''
    return held
  }
}

/** Of a string, without the quote at its beginning, what is whole: no escape is cut in two. */
function wholeLength(source: string): number {
  let i = 0
  while (i < source.length) {
    const c = source.charCodeAt(i)
    if (c === QUOTE) return i
    if (c !== BACKSLASH) {
      i++
    } else if (source[i + 1] === 'u' && HEX.test(source.slice(i + 2, i + 6))) {
      i += 6
    } else {
      const rest = source.slice(i + 1, i + 6)
      if (rest === '' || (rest.startsWith('u') && PART_OF_HEX.test(rest.slice(1)))) return i
      i += 2
    }
  }
  return i
}

function parsed(source: string): string {
  if (!source.includes('\\')) return source
  try {
    return JSON.parse(`"${source}"`) as string
  } catch {
    return source
  }
}
