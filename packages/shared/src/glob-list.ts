/** Longer texts match no glob but one that only asks for a beginning: a client must not make a proxy spend its time on them. */
const LONGEST_TEXT = 1_024

/**
 * Many globs at once. Those without a `*`, and those with one at their end, are looked up; the others are tried one by one,
 * each in time proportional to the text.
 */
export class GlobList {
  readonly #exact = new Set<string>()
  /** What stands before a `*` at the end. */
  readonly #beginnings = new Set<string>()
  /** Of those, each length once. */
  readonly #lengths: readonly number[]
  /** What stands between the `*` of the others. */
  readonly #others: readonly (readonly string[])[]

  constructor(globs: readonly string[]) {
    const others: string[][] = []
    for (const glob of globs) {
      const star = glob.indexOf('*')
      if (star < 0) this.#exact.add(glob)
      else if (star === glob.length - 1) this.#beginnings.add(glob.slice(0, -1))
      else others.push(glob.split('*'))
    }
    this.#others = others
    this.#lengths = [...new Set(Array.from(this.#beginnings, ({ length }) => length))]
  }

  has(text: string): boolean {
    if (text.length <= LONGEST_TEXT && this.#exact.has(text)) return true
    for (const length of this.#lengths) {
      if (length <= text.length && this.#beginnings.has(text.slice(0, length))) return true
    }
    if (text.length > LONGEST_TEXT) return false
    for (const parts of this.#others) if (matches(parts, text)) return true
    return false
  }
}

/** @param parts at least two: the first begins the text, the last ends it, the others follow each other between */
function matches(parts: readonly string[], text: string): boolean {
  const first = parts[0]!
  const last = parts.at(-1)!
  const end = text.length - last.length
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (let i = 1; i < parts.length - 1; i++) {
    const part = parts[i]!
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= end
}
