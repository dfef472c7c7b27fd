/** The items of an answer, whole. */
import type { TokenLogprob } from '../../canonical/answer.ts'
import type { Citation, Part, ReasoningPart, ToolCallPart } from '../../canonical/content.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { annotationOf } from './annotations.ts'
import type { ItemStatus } from './events-write.ts'
import { logprobsOf } from './logprobs.ts'
import { sealThought } from './reasoning-seal.ts'

export function messageItem(id: string, status: ItemStatus | 'in_progress', content: readonly unknown[]): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content }
}

export function outputText(
  text: string,
  citations: readonly Citation[] = [],
  logprobs: readonly TokenLogprob[] = [],
): JsonObject {
  const annotations = citations.map((citation) => annotationOf(citation, text.length)).filter((one) => one !== null)
  return { type: 'output_text', annotations, logprobs: logprobsOf(logprobs), text }
}

export function refusalContent(refusal: string): JsonObject {
  return { type: 'refusal', refusal }
}

/** Thoughts are said as a summary, whoever had them: that is where clients of this API look. */
export function reasoningItem(id: string, thought: Omit<ReasoningPart, 'type'>): JsonObject {
  return sealedItem(id, thought.text, sealThought(thought))
}

/** @param sealed its `encrypted_content` */
export function sealedItem(id: string, text: string, sealed: string): JsonObject {
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return { id, type: 'reasoning', summary, encrypted_content: sealed }
}

type Called = Pick<ToolCallPart, 'id' | 'name' | 'arguments' | 'kind'>

/** @param id the item's own */
export function callItem(id: string, status: ItemStatus | 'in_progress', call: Called): JsonObject {
  const { id: callId, name, arguments: args, kind } = call
  if (kind === 'custom') return { id, type: 'custom_tool_call', status, call_id: callId, name, input: args }
  return { id, type: 'function_call', status, arguments: args, call_id: callId, name }
}

/** Another than a message. @returns null for what this API cannot say */
export function wholeItem(
  part: Part,
  index: number,
  unique: string,
  status: ItemStatus = 'completed',
): JsonObject | null {
  switch (part.type) {
    case 'reasoning':
      return reasoningItem(itemId('rs', unique, index), part)
    case 'tool_call': {
      const id = itemId(part.kind === 'custom' ? 'ctc' : 'fc', unique, index)
      const args = part.arguments === '' && part.kind !== 'custom' ? '{}' : part.arguments
      return callItem(id, status, { ...part, id: part.id || itemId('call', unique, index), arguments: args })
    }
    case 'image': {
      const { source } = part
      if (source.from !== 'data') return null
      return {
        id: itemId('ig', unique, index),
        type: 'image_generation_call',
        status: 'completed',
        result: source.data,
      }
    }
    case 'own':
      return part.own.origin === 'responses' && isObject(part.own.value) ? part.own.value : null
    default:
      return null
  }
}

/** As long as OpenAI's, and another of each item. @param unique 32 characters */
export function itemId(prefix: string, unique: string, index: number): string {
  return `${prefix}_${unique}${index.toString(16).padStart(4, '0')}`
}
