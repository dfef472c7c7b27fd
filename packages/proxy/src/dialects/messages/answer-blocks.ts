/** The parts of an answer as blocks of the Messages API. */
import type { Part, ReasoningPart, Signature, ToolCallPart } from '../../canonical/content.ts'
import { sealedSignature } from '../../canonical/signature.ts'
import { writeInput } from '../../canonical/tool-text.ts'
import { isObject, type JsonObject } from '../../canonical/values.ts'
import { writeCitations } from './citations.ts'

/** @param id of a call whose provider gave none */
export function writeAnswerBlocks(part: Part, id: string): JsonObject[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, citations: writeCitations(part.citations) }]
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, citations: null }]
    case 'audio':
      return part.transcript ? [{ type: 'text', text: part.transcript, citations: null }] : []
    case 'reasoning':
      return thinking(part)
    case 'tool_call':
      return toolUse(part, id)
    case 'own':
      return part.own.origin === 'messages' && isObject(part.own.value) ? [part.own.value] : []
    default:
      // The API has no block for what other models draw.
      return []
  }
}

function thinking({ text, signature, redacted }: ReasoningPart): JsonObject[] {
  if (redacted !== undefined) {
    return [redactedBlock(redacted, signature?.origin ?? 'messages')]
  }
  if (text === '' && signature === null) return []
  return [{ type: 'thinking', thinking: text, signature: signature === null ? UNSIGNED : signatureText(signature) }]
}

export function redactedBlock(data: string, origin: Signature['origin']): JsonObject {
  return { type: 'redacted_thinking', data: signatureText({ origin, value: data }) }
}

/** A call has no place for a signature: it follows, as thinking without a text. */
function toolUse({ id, name, arguments: text, kind, signature }: ToolCallPart, ownId: string): JsonObject[] {
  const block = { type: 'tool_use', id: id === '' ? ownId : id, name, input: writeInput(text, kind === 'custom') }
  return signature === undefined ? [block] : [block, signatureBlock(signature)]
}

export function signatureBlock(signature: Signature): JsonObject {
  return { type: 'thinking', thinking: '', signature: signatureText(signature) }
}

/** Of thoughts that their provider did not sign: by it they are known to be none of Anthropic's. */
export const UNSIGNED = sealedSignature({ origin: 'chat', value: '' })

/** As the client keeps it: only Anthropic's own is as it came. */
export function signatureText(signature: Signature): string {
  return signature.origin === 'messages' ? signature.value : sealedSignature(signature)
}
