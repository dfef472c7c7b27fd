/** Members of an object renamed, or left out, in its source text. */
import { skipSpace, type Edit, type Range } from './json.ts'

/** A member that does not stay as it is. */
export interface MemberPlace extends Range {
  /** Where its name begins; {@link start} is where its value does. */
  readonly from: number
  /** Its other name; null: it is left out. */
  readonly other: string | null
}

/** Where the name begins of a member whose value begins at `value`: a name without a quote in it, however that is spelt. */
export function nameBefore(text: string, value: number): number {
  const closing = text.lastIndexOf('"', value - 1)
  return text.lastIndexOf('"', closing - 1)
}

/** Renames members and leaves them out, the commas between them with them. @param places in their order */
export function memberEdits(text: string, places: readonly MemberPlace[]): Edit[] {
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
