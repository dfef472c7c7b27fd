import { parseExact } from '../canonical/exact-json.ts'
import { unlessTooDeep } from '../canonical/problem.ts'
import { findMembers, latin1FromUtf8, replaceAll, utf8FromLatin1, type Edit } from '../stream/json.ts'

/**
 * Takes out of a conversation what its provider would refuse: thoughts that another provider had, as this gateway gave them to
 * the client. The one place where a body in the provider's own API is parsed.
 * @param edits gets what is changed
 * @param text the body, latin1
 * @param member that has the conversation; of several of that name, another parser may take another: then nothing is changed
 * @param without gives the conversation without them; null: there are none
 * @throws GatewayError param_not_allowed for one that is nested too deep
 */
export function addForeignEdits(
  edits: Edit[],
  text: string,
  member: string,
  without: (conversation: unknown) => readonly unknown[] | null,
): void {
  const ranges = findMembers(text, new Set([member]))?.get(member) ?? []
  const [range] = ranges
  if (range === undefined || ranges.length > 1) return
  const kept = unlessTooDeep(member, () => {
    const left = without(parseExact(utf8FromLatin1(text.slice(range.start, range.end))))
    return left && JSON.stringify(left)
  })
  if (kept !== null) edits.push(...replaceAll(ranges, latin1FromUtf8(kept)))
}
