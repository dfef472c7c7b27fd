/** The items of an answer's `output`. */
import type { TokenLogprob } from '../../canonical/answer.ts'
import type { Citation, ImagePart, OwnPart, Part, ReasoningPart, TextPart } from '../../canonical/content.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { readCitation } from './annotations.ts'
import { joined } from './input-read.ts'
import { readLogprobs } from './logprobs.ts'
import { itemSignature } from './reasoning-seal.ts'
import { objectsOf, stringOf } from './values.ts'

export function partsOfItem(item: JsonObject): Part[] {
  switch (item['type']) {
    case 'message':
      return objectsOf(item['content']).map(partOfContent)
    case 'reasoning':
      return [readReasoning(item)]
    case 'function_call':
      return [
        { type: 'tool_call', id: callIdOf(item), name: stringOf(item['name']) ?? '', arguments: argumentsOf(item) },
      ]
    case 'custom_tool_call':
      return [
        {
          type: 'tool_call',
          id: callIdOf(item),
          name: stringOf(item['name']) ?? '',
          arguments: stringOf(item['input']) ?? '',
          kind: 'custom',
        },
      ]
    default:
      return [readOther(item)]
  }
}

export function callIdOf(item: JsonObject): string {
  return stringOf(item['call_id']) ?? stringOf(item['id']) ?? ''
}

/** Some servers send them as the object that they spell. */
export function argumentsOf({ arguments: args }: JsonObject): string {
  return typeof args === 'string' ? args : args == null ? '' : JSON.stringify(args)
}

function partOfContent(part: JsonObject): Part {
  if (part['type'] === 'refusal') return { type: 'refusal', text: stringOf(part['refusal']) ?? '' }
  if (part['type'] !== 'output_text') return { type: 'own', own: { origin: 'responses', value: part } }
  const citations: Citation[] = objectsOf(part['annotations']).map(readCitation)
  const text: TextPart = { type: 'text', text: stringOf(part['text']) ?? '' }
  return citations.length === 0 ? text : { ...text, citations }
}

function readReasoning(item: JsonObject): ReasoningPart {
  const { id, encrypted_content: encrypted } = item
  const summary = joined(item['summary'])
  return {
    type: 'reasoning',
    text: summary || joined(item['content']),
    signature: typeof encrypted === 'string' ? itemSignature(stringOf(id) ?? '', encrypted) : null,
    ...(summary !== '' && { summary: true }),
  }
}

/** An image is one to every API; other tools that the provider runs are known to this one alone. */
export function readOther(item: JsonObject): ImagePart | OwnPart {
  const { type, result, output_format: format } = item
  if (type === 'image_generation_call' && typeof result === 'string' && result !== '') {
    const mediaType = `image/${typeof format === 'string' ? format : 'png'}`
    return { type: 'image', source: { from: 'data', mediaType, data: result } }
  }
  return { type: 'own', own: { origin: 'responses', value: item } }
}

/** Those of all texts, in their order. */
export function logprobsOfItems(items: readonly JsonObject[]): TokenLogprob[] | null {
  const found = items
    .filter(({ type }) => type === 'message')
    .flatMap(({ content }) => objectsOf(content))
    .flatMap(({ logprobs }) => readLogprobs(logprobs) ?? [])
  return found.length === 0 ? null : found
}
