/** What an answer rests on: Gemini's `groundingMetadata` and `citationMetadata`. */
import type { Citation } from '../../canonical/content.ts'
import { filledText, listOf, numberOf, objectOf, type JsonObject } from '../../canonical/values.ts'

/** Where an offset in bytes is, in characters. */
export interface Positions {
  /** Null: it can't be said. */
  at(bytes: number): number | null
}

/** Of a candidate. */
export function readCitations(candidate: JsonObject, positions: Positions): readonly Citation[] {
  const { groundingMetadata, citationMetadata } = candidate
  if (groundingMetadata === undefined && citationMetadata === undefined) return NONE
  return [...groundings(objectOf(groundingMetadata), positions), ...quotations(objectOf(citationMetadata), positions)]
}

const NONE: readonly Citation[] = []

function groundings({ groundingChunks, groundingSupports }: JsonObject, positions: Positions): Citation[] {
  const chunks = listOf(groundingChunks)
  const citations: Citation[] = []
  const named = new Set<unknown>()
  for (const support of listOf(groundingSupports)) {
    const { segment, groundingChunkIndices } = objectOf(support)
    for (const index of listOf(groundingChunkIndices)) {
      const chunk = chunks[Number(index)]
      if (chunk === undefined) continue
      named.add(chunk)
      citations.push(citationOf(chunk, segment, positions, { chunk, support }))
    }
  }
  // What was found and is not said of any sentence.
  for (const chunk of chunks) if (!named.has(chunk)) citations.push(citationOf(chunk, null, positions, { chunk }))
  return citations
}

function citationOf(chunk: unknown, segment: unknown, positions: Positions, own: unknown): Citation {
  const kinds = objectOf(chunk)
  const source = objectOf(kinds['web'] ?? kinds['retrievedContext'] ?? kinds['maps'] ?? kinds['image'])
  const { startIndex, endIndex } = objectOf(segment)
  const end = numberOf(endIndex)
  return {
    url: filledText(source['uri']) ?? filledText(source['sourceUri']),
    title: filledText(source['title']),
    quote: filledText(source['text']),
    // A segment at the very beginning has no start.
    start: end === null ? null : positions.at(numberOf(startIndex) ?? 0),
    end: end === null ? null : positions.at(end),
    own: { origin: 'gemini', value: own },
  }
}

/** What is word for word somebody else's. */
function quotations({ citations, citationSources }: JsonObject, positions: Positions): Citation[] {
  return [...listOf(citations), ...listOf(citationSources)].map((value) => {
    const { uri, title, startIndex, endIndex } = objectOf(value)
    const end = numberOf(endIndex)
    return {
      url: filledText(uri),
      title: filledText(title),
      quote: null,
      start: end === null ? null : positions.at(numberOf(startIndex) ?? 0),
      end: end === null ? null : positions.at(end),
      own: { origin: 'gemini', value },
    }
  })
}

/** In a text that is there. */
export class TextPositions implements Positions {
  private readonly encoded: Buffer

  constructor(text: string) {
    this.encoded = Buffer.from(text)
  }

  at(bytes: number): number {
    return this.encoded.toString('utf8', 0, bytes).length
  }
}

/** In a text of which nothing is known but whether it was ASCII. */
export class StreamPositions implements Positions {
  isAscii = true

  add(text: string): void {
    if (this.isAscii) this.isAscii = !NOT_ASCII.test(text)
  }

  at(bytes: number): number | null {
    return this.isAscii ? bytes : null
  }
}

const NOT_ASCII = /[\u0080-\uffff]/

/** In several texts, where it isn't said which is meant. */
export const NOWHERE: Positions = { at: () => null }
