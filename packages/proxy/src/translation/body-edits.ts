/** What compatible providers want otherwise in a body that they get as it came. */
import { findMembers, splice, type Edit, type Range } from '../stream/json.ts'
import { memberEdits, nameBefore, type MemberPlace } from '../stream/member-edits.ts'
import type { Asking } from './translation.ts'

/** By the client's names of outermost members. */
export interface BodyEditRules {
  /** Another name for the same. */
  readonly rename: Readonly<Record<string, string>>
  /** What the provider refuses a request for. */
  readonly drop: readonly string[]
  /** The same, where it changes nothing for the client: nobody is told. */
  readonly quiet?: readonly string[]
  /** What it wants otherwise within one of them; null: nothing. */
  readonly within?: ValueEdits | null
}

/** Edits of what stands within an outermost member: nobody is told of them. */
export interface ValueEdits {
  readonly member: string
  /** Whether there may be any: what is quick to tell. */
  mayEdit(body: Buffer): boolean
  /** @param text the body, latin1 @param value of the member @returns in any order */
  editsIn(text: string, value: Range): Edit[]
}

type Members = ReadonlyMap<string, readonly Range[]>

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
  private readonly within: ValueEdits | null
  private readonly names: ReadonlySet<string>
  /** With that of {@link within}. */
  private readonly allNames: ReadonlySet<string>

  constructor({ rename, drop, quiet = [], within = null }: BodyEditRules) {
    this.rename = new Map(Object.entries(rename))
    this.drop = new Set([...drop, ...quiet])
    this.quiet = new Set(quiet)
    this.within = within
    this.names = new Set([...this.rename.keys(), ...this.rename.values(), ...this.drop])
    this.allNames = within === null ? this.names : new Set([...this.names, within.member])
  }

  /** @returns the body itself where there is nothing to edit; what is left out is added to `asking.dropped` */
  apply(body: Buffer, asking: Asking): Buffer {
    const within = this.within?.mayEdit(body) === true ? this.within : null
    const names = within === null ? this.names : this.allNames
    if (names.size === 0) return body
    const text = body.toString('latin1')
    const members = findMembers(text, names)
    if (members === null || members.size === 0) return body
    const outer = this.memberEdits(text, members, asking)
    const inner = within === null ? [] : innerEdits(text, members, within)
    if (outer.length === 0 && inner.length === 0) return body
    const edits = [...outer, ...inner].sort(inOrder)
    return Buffer.from(splice(text, edits), 'latin1')
  }

  private memberEdits(text: string, members: Members, asking: Asking): Edit[] {
    const replaced = this.replacedIn(text, members)
    const places: MemberPlace[] = []
    const dropped: string[] = []
    for (const [name, ranges] of members) {
      const other = this.drop.has(name) || replaced.has(name) ? null : this.rename.get(name)
      if (other === undefined) continue
      for (const range of ranges) places.push({ ...range, from: nameBefore(text, range.start), other })
      const tells = this.drop.has(name) && !this.quiet.has(name)
      if (tells && ranges.some((range) => !isDefault(text, range, name))) dropped.push(name)
    }
    if (places.length === 0) return []
    asking.dropped = [...asking.dropped, ...dropped]
    places.sort((a, b) => a.from - b.from)
    return memberEdits(text, places)
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

/** Of several members of one name another parser may take another: then nothing is changed. */
function innerEdits(text: string, members: Members, within: ValueEdits): Edit[] {
  const [value, ...others] = members.get(within.member) ?? []
  return value === undefined || others.length > 0 ? [] : within.editsIn(text, value)
}

function inOrder(one: Edit, other: Edit): number {
  return one.start - other.start
}

function isNull(text: string, { start, end }: Range): boolean {
  return end - start === 4 && text.startsWith('null', start)
}

function isDefault(text: string, range: Range, name: string): boolean {
  if (isNull(text, range)) return true
  const { start, end } = range
  return end - start <= LONGEST_DEFAULT && text.slice(start, end).replace(/\s/g, '') === DEFAULTS.get(name)
}
