/** What a model thought before, as clients send it back with its turn. */
import type { Origin, ReasoningPart } from '../../canonical/content.ts'
import { openedSignature } from '../../canonical/signature.ts'
import { filledText, isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import { originOf } from './reasoning-formats.ts'

/** @param message of the role assistant. What cannot be read is left out: providers do without it. */
export function readReasoning(message: JsonObject): ReasoningPart[] {
  const details = readDetails(listOf(message['reasoning_details']))
  const plain = filledText(message['reasoning_content']) ?? filledText(message['reasoning'])
  if (details.length > 0) return withText(details, plain)
  const blocks = readBlocks(listOf(message['thinking_blocks']))
  if (blocks.length > 0) return blocks
  return plain === null ? [] : [{ type: 'reasoning', text: plain, signature: null }]
}

/** A client that keeps pieces of its own making may have kept the signature only. */
function withText(parts: ReasoningPart[], plain: string | null): ReasoningPart[] {
  const [only] = parts
  if (parts.length !== 1 || plain === null || only!.text !== '' || only!.redacted !== undefined) return parts
  return [{ ...only!, text: plain }]
}

/** OpenRouter's form. Pieces of a stream, gathered in one list, are put together by their index. */
function readDetails(details: readonly unknown[]): ReasoningPart[] {
  const parts: ReasoningPart[] = []
  let index: unknown
  for (const detail of details) {
    if (!isObject(detail)) continue
    const read = readDetail(detail)
    if (read === null) continue
    const last = parts.at(-1)
    if (last !== undefined && index === detail['index'] && belongs(last, read, detail['index'])) {
      parts[parts.length - 1] = joined(last, read)
    } else {
      parts.push(read)
    }
    index = detail['index']
  }
  return parts
}

function readDetail(detail: JsonObject): ReasoningPart | null {
  const origin = originOf(detail['format'])
  switch (detail['type']) {
    case 'reasoning.text': {
      const signature = filledText(detail['signature'])
      return {
        type: 'reasoning',
        text: textOf(detail['text']),
        signature: signature === null ? null : openedSignature(signature, origin),
      }
    }
    case 'reasoning.summary':
      return { type: 'reasoning', text: textOf(detail['summary']), signature: null, summary: true }
    case 'reasoning.encrypted': {
      const data = filledText(detail['data'])
      return data === null ? null : readSealed(data, origin)
    }
    default:
      return null
  }
}

/** Anthropic and Bedrock redact thoughts; the others encrypt what belongs to a readable one. */
function readSealed(data: string, origin: Origin): ReasoningPart {
  const signature = openedSignature(data, origin)
  if (signature.origin !== 'messages' && signature.origin !== 'converse') {
    return { type: 'reasoning', text: '', signature }
  }
  return { type: 'reasoning', text: '', signature: { origin: signature.origin, value: '' }, redacted: signature.value }
}

function belongs(last: ReasoningPart, next: ReasoningPart, index: unknown): boolean {
  if (last.redacted !== undefined || next.redacted !== undefined || last.signature !== null) return false
  return index !== undefined || next.summary === last.summary
}

function joined(last: ReasoningPart, next: ReasoningPart): ReasoningPart {
  return { ...last, text: last.text + next.text, signature: next.signature }
}

/** LiteLLM's form, which is Anthropic's own. */
function readBlocks(blocks: readonly unknown[]): ReasoningPart[] {
  const parts: ReasoningPart[] = []
  for (const value of blocks) {
    const block = objectOf(value)
    const data = filledText(block['data'])
    if (block['type'] === 'redacted_thinking' && data !== null) {
      parts.push(readSealed(data, 'messages'))
    } else if (block['type'] === 'thinking') {
      const signature = filledText(block['signature'])
      parts.push({
        type: 'reasoning',
        text: textOf(block['thinking']),
        signature: signature === null ? null : openedSignature(signature, 'messages'),
      })
    }
  }
  return parts
}
