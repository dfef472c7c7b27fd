import type { Citation } from '../../canonical/content.ts'
import { filledText, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'

/** @param end characters of the text that it has supported so far, all of which it is taken for */
export function readCitation(value: JsonObject, end: number): Citation {
  const { title, source, sourceContent, location } = value
  const quote = listOf(sourceContent)
    .map((one) => textOf(objectOf(one)['text']))
    .join('')
  return {
    url: filledText(objectOf(objectOf(location)['web'])['url']) ?? addressIn(source),
    title: filledText(title),
    quote: quote || null,
    start: 0,
    end,
    own: { origin: 'converse', value },
  }
}

function addressIn(source: unknown): string | null {
  const text = filledText(source)
  return text !== null && /^https?:\/\//.test(text) ? text : null
}
