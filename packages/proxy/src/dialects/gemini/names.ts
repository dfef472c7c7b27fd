/** Names of functions: Gemini's begin with a letter or an underscore, other APIs' with a digit or a dash too. */

/** As Gemini is told it. */
export function functionName(name: string): string {
  return /^[-\d]/.test(name) ? `_${name}` : name
}

/** Those of a request that Gemini is told otherwise, by what it is told. */
export function renamed(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.filter((name) => functionName(name) !== name).map((name) => [functionName(name), name]))
}
