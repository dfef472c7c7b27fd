/** What compatible providers want otherwise in a body that they get as it came. */
import { findMembers, splice, type Edit } from '../stream/json.ts'
import type { Asking } from './translation.ts'

/** By the client's names of outermost members. */
export interface BodyEditRules {
  /** Another name for the same. */
  readonly rename: Readonly<Record<string, string>>
  /** What the provider refuses a request for. */
  readonly drop: readonly string[]
}

export class BodyEdits {
  private readonly rename: ReadonlyMap<string, string>
  private readonly drop: ReadonlySet<string>
  private readonly names: ReadonlySet<string>

  constructor({ rename, drop }: BodyEditRules) {
    this.rename = new Map(Object.entries(rename))
    this.drop = new Set(drop)
    this.names = new Set([...this.rename.keys(), ...this.rename.values(), ...drop])
  }

  /** @returns the body itself where there is nothing to edit; what is left out stands in `asking.dropped` */
  apply(body: Buffer, asking: Asking): Buffer {
    const text = body.toString('latin1')
    const members = findMembers(text, this.names)
    if (members === null) return body
    const edits: Edit[] = []
    const dropped: string[] = []
    for (const [name, ranges] of members) {
      const other = this.rename.get(name)
      const leaves = this.drop.has(name) || (other !== undefined && members.has(other))
      if (!leaves && other === undefined) continue
      if (this.drop.has(name)) dropped.push(name)
      for (const { start, end } of ranges) {
        const from = nameBefore(text, start)
        edits.push(leaves ? withoutMember(text, from, end) : { start: from, end: start, literal: `"${other}":` })
      }
    }
    if (edits.length === 0) return body
    asking.dropped = dropped
    edits.sort((a, b) => a.start - b.start)
    return Buffer.from(splice(text, joined(edits)), 'latin1')
  }
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

/** The member with the comma that parts it from the next, or, of the last, from the one before. */
function withoutMember(text: string, from: number, to: number): Edit {
  const after = /^\s*,\s*/.exec(text.slice(to, to + 1_000))
  if (after) return { start: from, end: to + after[0].length, literal: '' }
  let start = from
  while (/\s/.test(text[start - 1]!)) start--
  if (text[start - 1] === ',') start--
  return { start, end: to, literal: '' }
}

/** The last two members of an object, both left out, want the same comma. */
function joined(edits: readonly Edit[]): Edit[] {
  const result: Edit[] = []
  for (const edit of edits) {
    const last = result.at(-1)
    if (last && edit.start < last.end) result[result.length - 1] = { ...last, end: Math.max(last.end, edit.end) }
    else result.push(edit)
  }
  return result
}
