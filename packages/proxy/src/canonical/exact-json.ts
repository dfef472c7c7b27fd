/** JSON whose numbers leave as they came, though JavaScript can't hold them. */

/** Spellings that another may come back for: more digits than a float has, exponents, zeros at the end, minus zero. */
const AT_RISK = /\d{16}|\d[eE]|\.\d*0(?!\d)|-0|\d\.\d{15}/

/**
 * Parses JSON; a number that would be spelt otherwise is a `JSON.rawJSON` (an object, which `JSON.stringify` writes as it
 * came). For what is passed on and never counted with: arguments of tools, JSON Schemas.
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  return AT_RISK.test(text) ? JSON.parse(text, keepSpelling) : JSON.parse(text)
}

interface ReviverContext {
  /** Absent for objects and lists. */
  readonly source?: string
}

function keepSpelling(_: string, value: unknown, context?: ReviverContext): unknown {
  const source = context?.source
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source)
}
