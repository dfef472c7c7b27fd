/** What compatible providers want otherwise in a body that they get as it came. */
import { findMembers, skipSpace, splice, type Edit, type Range } from '../stream/json.ts'
import type { Asking } from './translation.ts'

/** By the client's names of outermost members. */
export interface BodyEditRules {
  /** Another name for the same. */
  readonly rename: Readonly<Record<string, string>>
  /** What the provider refuses a request for. */
  readonly drop: readonly string[]
  /** The same, where it changes nothing for the client: nobody is told. */
  readonly quiet?: readonly string[]
}

type Members = ReadonlyMap<string, readonly Range[]>

/** A member that does not stay as it is. */
interface Place extends Range {
  /** Where its name begins; {@link start} is where its value does. */
  readonly from: number
  /** Its other name; null: it is left out. */
  readonly other: string | null
}

/** What says nothing that is not so anyway: to leave it out is nothing to tell of. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['logprobs', 'false'],
  ['top_logprobs', '0'],
  ['logit_bias', '{}'],
  ['store', 'false'],
  ['metadata', '{}'],
  ['service_tier', '"auto"'],
  ['verbosity', '"medium"'],
  ['modalities', '["text"]'],
])
const LONGEST_DEFAULT = 20

export class BodyEdits {
  private readonly rename: ReadonlyMap<string, string>
  private readonly drop: ReadonlySet<string>
  private readonly quiet: ReadonlySet<string>
  private readonly names: ReadonlySet<string>

  constructor({ rename, drop, quiet = [] }: BodyEditRules) {
    this.rename = new Map(Object.entries(rename))
    this.drop = new Set([...drop, ...quiet])
    this.quiet = new Set(quiet)
    this.names = new Set([...this.rename.keys(), ...this.rename.values(), ...this.drop])
  }

  /** @returns the body itself where there is nothing to edit; what is left out stands in `asking.dropped` */
  apply(body: Buffer, asking: Asking): Buffer {
    const text = body.toString('latin1')
    const members = findMembers(text, this.names)
    if (members === null || members.size === 0) return body
    const replaced = this.replacedIn(text, members)
    const places: Place[] = []
    const dropped: string[] = []
    for (const [name, ranges] of members) {
      const other = this.drop.has(name) || replaced.has(name) ? null : this.rename.get(name)
      if (other === undefined) continue
      for (const range of ranges) places.push({ ...range, from: nameBefore(text, range.start), other })
      const tells = this.drop.has(name) && !this.quiet.has(name)
      if (tells && ranges.some((range) => !isDefault(text, range, name))) dropped.push(name)
    }
    if (places.length === 0) return body
    asking.dropped = dropped
    places.sort((a, b) => a.from - b.from)
    return Buffer.from(splice(text, editsOf(text, places)), 'latin1')
  }

  /** Where the client says a thing by both its names, that of OpenAI counts, unless it says nothing. */
  private replacedIn(text: string, members: Members): ReadonlySet<string> {
    const replaced = new Set<string>()
    for (const [name, other] of this.rename) {
      const own = members.get(name)?.at(-1)
      if (own !== undefined && members.has(other)) replaced.add(isNull(text, own) ? name : other)
    }
    return replaced
  }
}

function isNull(text: string, { start, end }: Range): boolean {
  return end - start === 4 && text.startsWith('null', start)
}

function isDefault(text: string, range: Range, name: string): boolean {
  if (isNull(text, range)) return true
  const { start, end } = range
  return end - start <= LONGEST_DEFAULT && text.slice(start, end).replace(/\s/g, '') === DEFAULTS.get(name)
}

/** Where the name begins of a member whose value begins at `value`. */
function nameBefore(text: string, value: number): number {
  const closing = text.lastIndexOf('"', value - 1)
  let at = closing - 1
  while (at >= 0 && (text[at] !== '"' || isEscaped(text, at))) at--
  return at
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text[at - 1 - slashes] === '\\') slashes++
  return slashes % 2 === 1
}

/** @param places in their order */
function editsOf(text: string, places: readonly Place[]): Edit[] {
  const edits: Edit[] = []
  /** Where members in a row begin that are all left out, and where the row ends. */
  let row = -1
  let rowEnd = -1
  for (const { from, start, end, other } of places) {
    if (other !== null) {
      edits.push({ start: from, end: start, literal: `${JSON.stringify(other)}:` })
      continue
    }
    if (from === rowEnd) edits.pop()
    else row = from
    const comma = skipSpace(text, end)
    const isLast = text[comma] !== ','
    rowEnd = isLast ? end : skipSpace(text, comma + 1)
    edits.push({ start: isLast ? commaBefore(text, row) : row, end: rowEnd, literal: '' })
  }
  return edits
}

/** @returns where the comma is that parts a member from the one before; of the first, the member itself */
function commaBefore(text: string, from: number): number {
  let at = from - 1
  while (' \t\r\n'.includes(text[at]!)) at--
  return text[at] === ',' ? at : from
}
