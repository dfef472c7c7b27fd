/** What a provider wants otherwise within the messages of chat completions that go to it as they came. */
import type { ChatQuirks } from '@millrace/shared'

import { findItems, findMembersAt, latin1Literal, utf8FromLatin1, type Edit, type Range } from '../../stream/json.ts'
import { memberEdits, nameBefore, type MemberPlace } from '../../stream/member-edits.ts'
import { toolIdFor } from './tool-ids.ts'
import { BETWEEN, mayBeNamed } from './write-messages.ts'

type Members = ReadonlyMap<string, readonly Range[]>

/** Those of the quirks that are of messages. */
export type MessageQuirks = Pick<ChatQuirks, 'developer' | 'names' | 'toolIds' | 'userAfterTool' | 'dropInMessages'>

const OF_MESSAGE = ['role', 'name', 'tool_calls', 'tool_call_id']
const OF_CALL = new Set(['id'])
const SYSTEM = '"system"'
const BETWEEN_LITERAL = `${JSON.stringify({ role: 'assistant', content: BETWEEN })},`

/** Puts right what breaks a rule of the provider's, as {@link writeMessages} would; all else keeps its bytes. */
export class MessageEdits {
  readonly member = 'messages'
  private readonly quirks: MessageQuirks
  private readonly names: ReadonlySet<string>
  private readonly drop: ReadonlySet<string>
  /** Of what a body has that breaks a rule, unless it is spelt with needless escapes, as no client does. */
  private readonly marks: readonly Buffer[]

  constructor(quirks: MessageQuirks) {
    this.quirks = quirks
    this.names = new Set([...OF_MESSAGE, ...quirks.dropInMessages])
    this.drop = new Set(quirks.dropInMessages)
    this.marks = marksOf(quirks).map((mark) => Buffer.from(mark))
  }

  /** Whether the provider has any rules. */
  get some(): boolean {
    return this.marks.length > 0
  }

  mayEdit(body: Buffer): boolean {
    for (const mark of this.marks) if (body.includes(mark)) return true
    return false
  }

  /** What is no message is left as it is. */
  editsIn(text: string, { start: list }: Range): Edit[] {
    const edits: Edit[] = []
    let before: string | null = null
    for (const { start } of findItems(text, list) ?? []) {
      const members = findMembersAt(text, start, this.names)
      const roleAt = members?.get('role')?.at(-1)
      const role = textAt(text, roleAt)
      if (role === 'user' && before === 'tool' && !this.quirks.userAfterTool) {
        edits.push({ start, end: start, literal: BETWEEN_LITERAL })
      }
      before = role
      if (members === null) continue
      if (role === 'developer' && !this.quirks.developer) edits.push({ ...roleAt!, literal: SYSTEM })
      this.addLeftOut(edits, text, role, members)
      this.addId(edits, text, members.get('tool_call_id')?.at(-1))
      this.addIds(edits, text, members.get('tool_calls')?.at(-1))
    }
    return edits
  }

  /** Each of several of a name, since none may be there. */
  private addLeftOut(edits: Edit[], text: string, role: string | null, members: Members): void {
    const places: MemberPlace[] = []
    for (const [name, ranges] of members) {
      if (!this.drop.has(name) && (name !== 'name' || role === null || mayBeNamed(role, this.quirks.names))) continue
      for (const { start, end } of ranges) places.push({ start, end, from: nameBefore(text, start), other: null })
    }
    if (places.length > 1) places.sort(inOrder)
    for (const edit of memberEdits(text, places)) edits.push(edit)
  }

  private addIds(edits: Edit[], text: string, calls: Range | undefined): void {
    if (calls === undefined || this.quirks.toolIds === 'any') return
    for (const { start } of findItems(text, calls.start) ?? []) {
      this.addId(edits, text, findMembersAt(text, start, OF_CALL)?.get('id')?.at(-1))
    }
  }

  private addId(edits: Edit[], text: string, range: Range | undefined): void {
    const id = textAt(text, range)
    if (id === null) return
    const known = toolIdFor(id, this.quirks.toolIds)
    if (known !== id) edits.push({ ...range!, literal: latin1Literal(known) })
  }
}

/** Longer ones are searched for thirty times as slowly in what an image is sent as. */
const LONGEST_MARK = 6

function marksOf({ developer, names, toolIds, userAfterTool, dropInMessages }: MessageQuirks): string[] {
  const words = [...dropInMessages]
  if (names !== 'any') words.push('name')
  if (!developer) words.push('developer')
  const marks = words.map((word) => `"${word}"`.slice(0, LONGEST_MARK))
  // Of the role, and of the members with ids.
  if (toolIds !== 'any' || !userAfterTool) marks.push('"tool')
  return [...new Set(marks)]
}

function inOrder(one: Range, other: Range): number {
  return one.start - other.start
}

const PLAIN = /^"[^"\\\x80-\xff]*"$/

/** The text that a range spells; null: there is none, or something else. */
function textAt(text: string, range: Range | undefined): string | null {
  if (range === undefined || text[range.start] !== '"') return null
  const literal = text.slice(range.start, range.end)
  if (PLAIN.test(literal)) return literal.slice(1, -1)
  try {
    return JSON.parse(utf8FromLatin1(literal)) as string
  } catch {
    return null
  }
}
