/** Annotations of an output text: the places that it rests on. */
import type { Citation } from '../../canonical/content.ts'
import { type JsonObject, isObject, numberOf } from '../../canonical/values.ts'
import { stringOf } from './values.ts'

export function readCitation(annotation: JsonObject): Citation {
  const { url, title, filename, start_index: start, end_index: end } = annotation
  return {
    url: stringOf(url),
    title: stringOf(title) ?? stringOf(filename),
    quote: null,
    start: numberOf(start),
    end: numberOf(end),
    own: { origin: 'responses', value: annotation },
  }
}

/**
 * @param length of the text that it stands in, so far
 * @returns null for what this API cannot say: a place without a URL
 */
export function annotationOf({ url, title, start, end, own }: Citation, length: number): JsonObject | null {
  if (own.origin === 'responses' && isObject(own.value)) return own.value
  if (url === null) return null
  return { type: 'url_citation', url, title: title ?? '', start_index: start ?? 0, end_index: end ?? length }
}
