/** A small letter or `_`, escaped: a type may be spelt so. */
const ESCAPED_LETTER = /\\u00(?:5[fF]|[67])/

/**
 * Whether a message has its reader call tools; also where that cannot be said. Quotes inside JSON strings are escaped, so that
 * text which only speaks of "tool_use" does not match.
 * @param body JSON, or all events, latin1
 */
export function messageCallsTools(body: string): boolean {
  return body.includes('"tool_use"') || ESCAPED_LETTER.test(body)
}
