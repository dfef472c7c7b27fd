/** The blocks of an answer. */
import type { Part } from '../../canonical/content.ts'
import { readInput } from '../../canonical/tool-text.ts'
import { filledText, isObject, listOf, textOf, type JsonObject } from '../../canonical/values.ts'
import { readCitation } from './citations.ts'
import type { MessagesMemo } from './request-write.ts'

/** @returns null for a block that says nothing, or is none */
export function readAnswerBlock(block: unknown, { custom }: MessagesMemo): Part | null {
  if (!isObject(block)) return null
  switch (block['type']) {
    case 'text':
      return readAnswerText(block)
    case 'thinking': {
      const signature = filledText(block['signature'])
      const text = textOf(block['thinking'])
      if (text === '' && signature === null) return null
      return {
        type: 'reasoning',
        text,
        signature: signature === null ? null : { origin: 'messages', value: signature },
      }
    }
    case 'redacted_thinking':
      return {
        type: 'reasoning',
        text: '',
        signature: { origin: 'messages', value: '' },
        redacted: textOf(block['data']),
      }
    case 'tool_use': {
      const name = textOf(block['name'])
      const kind = custom.has(name) ? { kind: 'custom' as const } : {}
      const text = readInput(block['input'], custom.has(name))
      return { type: 'tool_call', id: textOf(block['id']), name, arguments: text, ...kind }
    }
    default:
      return typeof block['type'] === 'string' ? { type: 'own', own: { origin: 'messages', value: block } } : null
  }
}

function readAnswerText(block: JsonObject): Part | null {
  const text = textOf(block['text'])
  const citations = listOf(block['citations'])
    .map(readCitation)
    .filter((one) => one !== null)
  if (text === '' && citations.length === 0) return null
  return { type: 'text', text, ...(citations.length === 0 ? {} : { citations }) }
}
