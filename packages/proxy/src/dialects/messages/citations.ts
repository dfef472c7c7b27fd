/** Places that a text rests on, as the Messages API has them, and as others' are told in it. */
import type { Citation } from '../../canonical/content.ts'
import { filledText, isObject, type JsonObject } from '../../canonical/values.ts'

/** @returns null for what is no citation */
export function readCitation(value: unknown): Citation | null {
  if (!isObject(value)) return null
  const source = filledText(value['url']) ?? filledText(value['source'])
  return {
    url: source,
    title: filledText(value['title']) ?? filledText(value['document_title']),
    quote: filledText(value['cited_text']),
    // Where in its source it stands; where in the answer, the API tells by the block.
    start: null,
    end: null,
    own: { origin: 'messages', value },
  }
}

/** @returns null for one of another API that points to no page */
export function writeCitation({ url, title, quote, own }: Citation): JsonObject | null {
  if (own.origin === 'messages') return isObject(own.value) ? own.value : null
  if (url === null) return null
  return { type: 'web_search_result_location', url, title, cited_text: quote ?? '', encrypted_index: '' }
}

/** As a list, or null: there are none. */
export function writeCitations(citations: readonly Citation[] | undefined): readonly JsonObject[] | null {
  const told = (citations ?? []).map(writeCitation).filter((one) => one !== null)
  return told.length === 0 ? null : told
}

/** Of what the API gave itself: no other can be sent back to it. */
export function ownCitations(citations: readonly Citation[] | undefined): readonly unknown[] {
  return (citations ?? []).filter(({ own }) => own.origin === 'messages').map(({ own }) => sentBack(own.value))
}

/** A request may not have the members that only answers have. */
function sentBack(value: unknown): unknown {
  if (!isObject(value) || !('file_id' in value)) return value
  const { file_id: _, ...rest } = value
  return rest
}
