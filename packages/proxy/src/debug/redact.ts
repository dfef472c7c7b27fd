/** Takes secrets out of what clients have sent and got: those that are known, and whatever looks like one. */
import { spellingsOf } from '../request/failure.ts'

export const REDACTED = '[redacted]'

/** Shorter ones are words: a local model's key is often `none`. */
const SHORTEST_KNOWN = 8
/** Of a longer one the beginning is looked for. V8 looks for up to 250 characters in linear time, and for more in that times their number. */
const LONGEST_LOOKED_FOR = 240

/** Headers that are secrets as a whole, and whatever is named like one. */
const SECRET_HEADER =
  /authorization|cookie|secret|passw|credential|api[-_]?key|(key|token|signature|jwt)$|(^|[-_])(auth|sig)$/

export function isSecretHeader(name: string): boolean {
  return SECRET_HEADER.test(name)
}

/** Where a key may begin: not within a word, but right after an escape of JSON's or of a URL's. */
const BEGINS = String.raw`(?<=^|[^A-Za-z0-9]|\\[nrtbf]|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})`
/** The same, of what has `-` and `_` in it: no two beginnings see the same characters, so that looking takes no longer. */
const BEGINS_APART = String.raw`(?<=^|[^\w-]|\\[nrtbf]|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})`

/** Keys by how their vendors write them. What they begin with is asked first: it takes a third of the time. */
const KEYS = new RegExp(
  `(?=[saArghxnpwbB])${BEGINS}(?:` +
    [
      String.raw`(?:[sa]k-|[sr]k_(?:live|test)_)[\w-]{8,}`,
      String.raw`AIza[\w-]{30,}`,
      String.raw`(?:AKIA|ASIA)[A-Z0-9]{16}`,
      String.raw`(?:ABSK|bedrock-api-key-)[\w+/=-]{16,}`,
      String.raw`(?:gsk|hf|r8|xai|pplx|nvapi|whsec|glpat|gh[oprsu]|github_pat|xox[a-z])[-_][\w-]{16,}`,
      // RFC 6750, and what becomes of its space in a URL.
      String.raw`[Bb]earer(?: |\+|%20){1,8}[\w.~+/=-]{8,}`,
    ].join('|') +
    ')',
  'g',
)
/** RFC 7519; also without its signature. */
const JWTS = new RegExp(String.raw`${BEGINS_APART}eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*`, 'g')
/** RFC 7468; with the headers of RFC 1421, in which there may be hyphens. */
const PRIVATE_KEYS = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*/g

/**
 * What stands under a name that says it is secret. The first group is not part of it.
 * Hazard: `\s` and its like match bytes (0xA0) that are part of a character, and must not end what is taken out.
 */
const NAMED: readonly RegExp[] = [
  // A member of JSON, which may stand in a text of JSON's itself: then so many backslashes are before each quote that ends one.
  /("[\w-]{0,40}(?:api[_-]?key|authorization|passw(?:or)?d|passphrase|secret(?:[_-]?key)?|access[_-]?key|private[_-]?key|(?:access|refresh|id|auth|bearer|session)[_-]?token)\\{0,4}"\s{0,8}:\s{0,8}(\\{0,3})")(?:[^"\\]|\2\\(?:\2["\\]|[^"\\])|(?!\2")\\[^"]){4,}/gi,
  // A parameter of a URL.
  /([?&][\w-]{0,40}(?:key|token|secret|signature|sig|passw(?:or)?d)=)[^& \t\r\n"'#\\]{4,}/gi,
  // A header, as in a command that somebody has pasted.
  /((?:authorization|api-key)[ \t]{0,4}:[ \t]{0,4}(?:[a-z][\w-]{0,20} {1,4})?)[^ \t\r\n"'\\,;]{4,}/gi,
]

/** The spellings of secrets that are known, to be looked for. */
export function spellingsOfAll(secrets: Iterable<string>): string[] {
  const all = new Set<string>()
  for (const secret of secrets) {
    if (secret.length < SHORTEST_KNOWN) continue
    const hex = Buffer.from(secret).toString('hex')
    for (const spelling of [...spellingsOf(secret), hex, hex.toUpperCase()]) {
      // As the bytes are that it is looked for in.
      if (spelling.length >= SHORTEST_KNOWN) all.add(Buffer.from(spelling).toString('latin1'))
    }
  }
  return [...all]
}

/**
 * A text without its secrets.
 * @param text bytes as latin1
 * @param spellings of the secrets that are known, see {@link spellingsOfAll}
 * @param most what begins after so many characters is left out. A secret that begins before goes whole, wherever it ends: so
 * a text is best cut by this, and not before
 */
export function redacted(text: string, spellings: readonly string[], most = text.length): string {
  let shown = ''
  let at = 0
  for (const [start, end] of secretsIn(text, spellings)) {
    if (start >= most) break
    if (end <= at) continue
    if (start >= at) shown += text.slice(at, start) + REDACTED
    at = end
  }
  return at < most ? shown + text.slice(at, most) : shown
}

/** Where secrets stand, in the order in which they begin; they may overlap. */
function secretsIn(text: string, spellings: readonly string[]): [start: number, end: number][] {
  const found: [number, number][] = []
  for (const spelling of spellings) {
    const beginning = spelling.slice(0, LONGEST_LOOKED_FOR)
    for (let end = 0, at = text.indexOf(beginning); at >= 0; at = text.indexOf(beginning, end)) {
      end = at + beginning.length
      while (end < text.length && text[end] === spelling[end - at]) end++
      found.push([at, end])
    }
  }
  for (const pattern of [KEYS, JWTS, PRIVATE_KEYS])
    for (const { index, 0: match } of text.matchAll(pattern)) found.push([index, index + match.length])
  for (const pattern of NAMED)
    for (const { index, 0: match, 1: name } of text.matchAll(pattern))
      found.push([index + name!.length, index + match.length])
  return found.sort(([one], [other]) => one - other)
}
