/** `cache-control` as RFC 9111, section 5.2, writes it, for requests and answers. */

/** Directives by their names in lower case; a directive without an argument has ''. */
export type Directives = ReadonlyMap<string, string>

const NONE: Directives = new Map()

/** A directive, with its argument as a token or as a quoted string. */
const DIRECTIVE = /([^\s,;="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g

/** Of a directive that is there twice, the first counts (section 4.2.1). */
export function readDirectives(cacheControl: string | null | undefined): Directives {
  if (!cacheControl) return NONE
  const directives = new Map<string, string>()
  for (const [, name, quoted, token] of cacheControl.matchAll(DIRECTIVE)) {
    const key = name!.toLowerCase()
    if (!directives.has(key)) directives.set(key, quoted ?? token ?? '')
  }
  return directives
}

/** Seconds; null: the directive is not there, or says no number that counts. */
export function secondsOf(directives: Directives, name: string): number | null {
  const argument = directives.get(name)
  return argument !== undefined && /^\d{1,15}$/.test(argument) ? Number(argument) : null
}

/** As http-cache-semantics reads them: it knows names in lower case alone, and splits at each comma. */
export function plainText(directives: Directives): string {
  const parts: string[] = []
  for (const [name, argument] of directives) {
    const plain = argument.replace(/[",\\=]/g, ' ').trim()
    parts.push(plain === '' ? name : `${name}=${plain}`)
  }
  return parts.join(', ')
}
